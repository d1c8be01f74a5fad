"""The AWS calls of this world: `service Name,Name kind params [| response]`, kinds as in model.Op."""
from typing import Dict

from .model import Op

TEXT = r"""
sts GetCallerIdentity R
sts GetFederationToken R {"name":"$newname","policyArns":[{"arn":"arn:aws:iam::aws:policy/AdministratorAccess"}],"durationSeconds":43200}
sts AssumeRole R {"roleArn":"arn:aws:iam::$acct:role/$role","roleSessionName":"$session","durationSeconds":3600} | {"credentials":{"accessKeyId":"$asia","sessionToken":"$token","expiration":"$later"},"assumedRoleUser":{"assumedRoleId":"$aroa:$session","arn":"arn:aws:sts::$acct:assumed-role/$role/$session"}}
s3 ListBuckets R {"Host":"s3.$region.amazonaws.com"}
s3 GetBucketLocation R {"bucketName":"$bucket","location":"","Host":"$bucket.s3.amazonaws.com"}
s3 GetBucketAcl R {"bucketName":"$bucket","acl":"","Host":"$bucket.s3.amazonaws.com"}
s3 GetBucketPolicy R {"bucketName":"$bucket","policy":"","Host":"$bucket.s3.amazonaws.com"}
s3 GetBucketVersioning R {"bucketName":"$bucket","versioning":"","Host":"$bucket.s3.amazonaws.com"}
s3 GetBucketEncryption R {"bucketName":"$bucket","encryption":"","Host":"$bucket.s3.amazonaws.com"}
s3 GetBucketTagging R {"bucketName":"$bucket","tagging":"","Host":"$bucket.s3.amazonaws.com"}
s3 GetBucketPublicAccessBlock R {"bucketName":"$bucket","publicAccessBlock":"","Host":"$bucket.s3.amazonaws.com"}
s3 GetBucketLifecycle R {"bucketName":"$bucket","lifecycle":"","Host":"$bucket.s3.amazonaws.com"}
s3 PutBucketPolicy W {"bucketName":"$bucket","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::$foreign:root"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::$bucket","arn:aws:s3:::$bucket/*"]}]},"policy":"","Host":"$bucket.s3.amazonaws.com"}
s3 PutBucketLifecycle W {"bucketName":"$bucket","LifecycleConfiguration":{"Rule":{"ID":"expire","Status":"Enabled","Expiration":{"Days":$num},"Filter":{"Prefix":""}}},"lifecycle":"","Host":"$bucket.s3.amazonaws.com"}
s3 PutBucketVersioning W {"bucketName":"$bucket","VersioningConfiguration":{"Status":"Suspended"},"versioning":"","Host":"$bucket.s3.amazonaws.com"}
s3 PutBucketPublicAccessBlock W {"bucketName":"$bucket","PublicAccessBlockConfiguration":{"RestrictPublicBuckets":false,"BlockPublicPolicy":false,"BlockPublicAcls":false,"IgnorePublicAcls":false},"publicAccessBlock":"","Host":"$bucket.s3.amazonaws.com"}
s3 PutBucketReplication W {"bucketName":"$bucket","replication":"","Host":"$bucket.s3.amazonaws.com","ReplicationConfiguration":{"Role":"arn:aws:iam::$acct:role/$role","Rule":{"Status":"Enabled","Destination":{"Bucket":"arn:aws:s3:::dr-$foreign"}}}}
s3 ListObjects DR {"list-type":"2","bucketName":"$bucket","prefix":"$prefix","Host":"$bucket.s3.$region.amazonaws.com"}
s3 GetObject,HeadObject DR {"bucketName":"$bucket","key":"$prefix/$path/$h8.json.gz","Host":"$bucket.s3.$region.amazonaws.com"}
s3 PutObject,DeleteObject DW {"bucketName":"$bucket","key":"$prefix/$path/$h8.json.gz","Host":"$bucket.s3.$region.amazonaws.com"}
s3 CopyObject DW {"bucketName":"$bucket","key":"$prefix/$path/$h8.json.gz","x-amz-copy-source":"$bucket/$prefix/$h8","Host":"$bucket.s3.$region.amazonaws.com"}
kms Decrypt R {"keyId":"arn:aws:kms:$region:$acct:key/$kmskey","encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"service":"$service"}}
kms GenerateDataKey R {"keyId":"arn:aws:kms:$region:$acct:key/$kmskey","keySpec":"AES_256","encryptionContext":{"service":"$service"}}
kms Sign R {"keyId":"arn:aws:kms:$region:$acct:key/$kmskey","messageType":"DIGEST","signingAlgorithm":"RSASSA_PKCS1_V1_5_SHA_256"}
kms DescribeKey R {"keyId":"$kmskey"}
kms ListKeys,ListAliases R {"limit":1000}
kms CreateGrant W {"keyId":"arn:aws:kms:$region:$acct:key/$kmskey","granteePrincipal":"arn:aws:iam::$foreign:root","operations":["Decrypt","GenerateDataKey"]} | {"grantId":"$h64"}
kms ScheduleKeyDeletion W {"keyId":"$kmskey","pendingWindowInDays":7} | {"keyId":"arn:aws:kms:$region:$acct:key/$kmskey"}
secretsmanager GetSecretValue,DescribeSecret R {"secretId":"$secret"}
secretsmanager ListSecrets R {"maxResults":100}
secretsmanager BatchGetSecretValue R {"secretIdList":["$secret"]}
secretsmanager PutSecretValue W {"secretId":"$secret","clientRequestToken":"$uuid"} | {"arn":"arn:aws:secretsmanager:$region:$acct:secret:$secret-AbCdEf"}
secretsmanager CreateSecret W {"name":"$newname","clientRequestToken":"$uuid"} | {"arn":"arn:aws:secretsmanager:$region:$acct:secret:$newname"}
secretsmanager PutResourcePolicy W {"secretId":"$secret","resourcePolicy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::$foreign:root\"},\"Action\":\"secretsmanager:GetSecretValue\",\"Resource\":\"*\"}]}"}
ssm GetParameter R {"name":"/$service/$param","withDecryption":true}
ssm GetParameters R {"names":["/$service/$param","/$service/log-level"],"withDecryption":true}
ssm GetParametersByPath R {"path":"/$service/","recursive":true,"withDecryption":true,"maxResults":10}
ssm DescribeParameters,DescribeInstanceInformation R {"maxResults":50}
ssm PutParameter W {"name":"/$service/$param","value":"HIDDEN_DUE_TO_SECURITY_REASONS","type":"SecureString","overwrite":true} | {"version":$num,"tier":"Standard"}
ssm UpdateInstanceInformation W {"instanceId":"$instance","agentVersion":"3.3.$num.0","agentStatus":"Active","platformType":"Linux","agentName":"amazon-ssm-agent"}
ssm ListInstanceAssociations R {"instanceId":"$instance","maxResults":20}
ssm SendCommand W {"documentName":"AWS-RunShellScript","instanceIds":["$instance"],"interactive":false,"parameters":"HIDDEN_DUE_TO_SECURITY_REASONS"} | {"command":{"commandId":"$uuid","documentName":"AWS-RunShellScript","status":"Pending"}}
ssm GetCommandInvocation R {"commandId":"$uuid","instanceId":"$instance"}
ssm StartSession W {"target":"$instance"} | {"sessionId":"$session-$h17","tokenValue":"Value hidden due to security reasons.","streamUrl":"wss://ssmmessages.$region.amazonaws.com/v1/data-channel"}
ec2 DescribeInstances,DescribeInstanceTypes,DescribeSecurityGroups,DescribeSubnets,DescribeVpcs,DescribeRouteTables,DescribeNetworkInterfaces,DescribeVolumes,DescribeRegions,DescribeAvailabilityZones,DescribeAddresses,DescribeKeyPairs R {"filterSet":{}}
ec2 DescribeInstanceStatus R {"instancesSet":{"items":[{"instanceId":"$instance"}]},"filterSet":{},"includeAllInstances":false}
ec2 DescribeInstanceAttribute R {"attribute":"userData","instanceId":"$instance"}
ec2 DescribeSnapshots R {"maxResults":1000,"ownersSet":{"items":[{"owner":"self"}]},"filterSet":{}}
ec2 DescribeImages R {"ownersSet":{"items":[{"owner":"self"}]},"filterSet":{}}
ec2 DescribeFlowLogs R {"DescribeFlowLogsRequest":{"MaxResults":100}}
ec2 DescribeLaunchTemplates R {"DescribeLaunchTemplatesRequest":{"MaxResults":200}}
ec2 DescribeTags R {"filterSet":{"items":[{"name":"resource-type","valueSet":{"items":[{"value":"instance"}]}}]}}
ec2 DescribeSpotPriceHistory R {"instanceTypeSet":{"items":[{"instanceType":"m6i.large"}]},"filterSet":{}}
ec2 GetPasswordData,GetConsoleOutput R {"instanceId":"$instance"}
ec2 RunInstances W {"instancesSet":{"items":[{"imageId":"$image","minCount":1,"maxCount":$few}]},"instanceType":"$itype","clientToken":"$uuid","monitoring":{"enabled":false},"disableApiTermination":false} | {"requestId":"$uuid2","reservationId":"r-0$h17","ownerId":"$acct","instancesSet":{"items":[{"instanceId":"$instanceid","imageId":"$image","instanceType":"$itype","instanceState":{"code":0,"name":"pending"}}]}}
ec2 CreateFleet W {"CreateFleetRequest":{"Type":"instant","TargetCapacitySpecification":{"TotalTargetCapacity":$few,"DefaultTargetCapacityType":"spot"},"ClientToken":"$uuid"}} | {"CreateFleetResponse":{"fleetId":"fleet-$uuid2"}}
ec2 TerminateInstances W {"instancesSet":{"items":[{"instanceId":"$instance"}]}} | {"requestId":"$uuid","instancesSet":{"items":[{"instanceId":"$instance","currentState":{"code":32,"name":"shutting-down"}}]}}
ec2 StopInstances W {"instancesSet":{"items":[{"instanceId":"$instance"}]},"force":false} | {"requestId":"$uuid"}
ec2 StartInstances W {"instancesSet":{"items":[{"instanceId":"$instance"}]}} | {"requestId":"$uuid"}
ec2 ModifyInstanceAttribute W {"instanceId":"$instance","userData":"<sensitiveDataRemoved>"} | {"requestId":"$uuid","_return":true}
ec2 CreateSnapshot W {"volumeId":"$volume","description":"$newname"} | {"requestId":"$uuid","snapshotId":"$snapid","volumeId":"$volume","ownerId":"$acct","status":"pending"}
ec2 DeleteSnapshot W {"snapshotId":"$snapshot"} | {"requestId":"$uuid","_return":true}
ec2 ModifySnapshotAttribute W {"snapshotId":"$snapshot","createVolumePermission":{"add":{"items":[{"userId":"$foreign"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"} | {"requestId":"$uuid","_return":true}
ec2 ModifyImageAttribute W {"imageId":"$image","launchPermission":{"add":{"items":[{"userId":"$foreign"}]}},"attributeType":"launchPermission"} | {"requestId":"$uuid","_return":true}
ec2 CreateVolume W {"size":"$num","zone":"$region","volumeType":"gp3","encrypted":true} | {"requestId":"$uuid","volumeId":"vol-0$h17"}
ec2 AttachVolume W {"volumeId":"$volume","instanceId":"$instance","device":"/dev/xvdba"} | {"requestId":"$uuid","status":"attaching"}
ec2 DetachVolume W {"volumeId":"$volume","instanceId":"$instance"} | {"requestId":"$uuid","status":"detaching"}
ec2 CreateTags W {"resourcesSet":{"items":[{"resourceId":"$instance"}]},"tagSet":{"items":[{"key":"Service","value":"$service"}]}} | {"requestId":"$uuid","_return":true}
ec2 AuthorizeSecurityGroupIngress W {"groupId":"$sg","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":$port,"toPort":$port,"ipRanges":{"items":[{"cidrIp":"$cidr"}]}}]}} | {"requestId":"$uuid","_return":true}
ec2 RevokeSecurityGroupIngress W {"groupId":"$sg","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":$port,"toPort":$port}]}} | {"requestId":"$uuid","_return":true}
ec2 DeleteFlowLogs W {"DeleteFlowLogsRequest":{"FlowLogId":{"content":"fl-0$h17","tag":1}}} | {"DeleteFlowLogsResponse":{"requestId":"$uuid"}}
ec2 CreateKeyPair W {"keyName":"$newname","keyType":"rsa"} | {"requestId":"$uuid","keyName":"$newname","keyPairId":"key-0$h17","keyMaterial":"<sensitiveDataRemoved>"}
iam ListUsers,ListRoles,GetAccountAuthorizationDetails R {"maxItems":100}
iam ListPolicies R {"scope":"Local","onlyAttached":false}
iam ListGroups,ListAccountAliases,GetUser,GetAccountSummary,GenerateCredentialReport,GetCredentialReport R
iam ListAccessKeys,ListAttachedUserPolicies,ListMFADevices R {"userName":"$user"}
iam ListAttachedRolePolicies,ListRolePolicies,GetRole R {"roleName":"$role"}
iam GetRolePolicy R {"roleName":"$role","policyName":"inline"}
iam GetPolicy R {"policyArn":"arn:aws:iam::$acct:policy/$policy"}
iam GetPolicyVersion R {"policyArn":"arn:aws:iam::$acct:policy/$policy","versionId":"v$few"}
iam GetAccessKeyLastUsed R {"accessKeyId":"$akia"}
iam SimulatePrincipalPolicy R {"policySourceArn":"arn:aws:iam::$acct:role/$role","actionNames":["s3:GetObject","iam:PassRole"]}
iam CreateUser W {"userName":"$newname"} | {"user":{"path":"/","userName":"$newname","userId":"$aida","arn":"arn:aws:iam::$acct:user/$newname","createDate":"$spoken"}}
iam CreateAccessKey W {"userName":"$user"} | {"accessKey":{"userName":"$user","accessKeyId":"$akia","status":"Active","createDate":"$spoken"}}
iam UpdateAccessKey W {"userName":"$user","accessKeyId":"$akia","status":"Inactive"}
iam DeleteAccessKey W {"userName":"$user","accessKeyId":"$akia"}
iam CreateLoginProfile W {"userName":"$user","passwordResetRequired":false} | {"loginProfile":{"userName":"$user","createDate":"$spoken","passwordResetRequired":false}}
iam AttachUserPolicy W {"userName":"$user","policyArn":"arn:aws:iam::aws:policy/$managed"}
iam AttachRolePolicy W {"roleName":"$role","policyArn":"arn:aws:iam::aws:policy/$managed"}
iam PutUserPolicy W {"userName":"$user","policyName":"$newname","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}
iam PutRolePolicy W {"roleName":"$role","policyName":"inline","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"$family:*\"],\"Resource\":\"*\"}]}"}
iam CreatePolicyVersion W {"policyArn":"arn:aws:iam::$acct:policy/$policy","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"$family:*\"],\"Resource\":\"*\"}]}","setAsDefault":true} | {"policyVersion":{"versionId":"v$few","isDefaultVersion":true,"createDate":"$spoken"}}
iam SetDefaultPolicyVersion W {"policyArn":"arn:aws:iam::$acct:policy/$policy","versionId":"v$few"}
iam UpdateAssumeRolePolicy W {"roleName":"$role","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::$foreign:root\"},\"Action\":\"sts:AssumeRole\"}]}"}
iam CreateRole W {"roleName":"$newname","assumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::$foreign:root\"},\"Action\":\"sts:AssumeRole\"}]}"} | {"role":{"path":"/","roleName":"$newname","roleId":"$aroa","arn":"arn:aws:iam::$acct:role/$newname","createDate":"$spoken"}}
iam PassRole W {"roleName":"$role"}
iam AddUserToGroup W {"userName":"$user","groupName":"$group"}
iam DeactivateMFADevice W {"userName":"$user","serialNumber":"arn:aws:iam::$acct:mfa/$user"}
iam CreateOpenIDConnectProvider W {"url":"https://token.actions.githubusercontent.com","clientIDList":["sts.amazonaws.com"]} | {"openIDConnectProviderArn":"arn:aws:iam::$acct:oidc-provider/token.actions.githubusercontent.com"}
rolesanywhere CreateTrustAnchor W {"enabled":true,"name":"$newname","source":{"sourceType":"CERTIFICATE_BUNDLE"}} | {"trustAnchor":{"trustAnchorId":"$uuid","name":"$newname","enabled":true}}
rolesanywhere CreateProfile W {"enabled":true,"name":"$newname","roleArns":["arn:aws:iam::$acct:role/$role"],"durationSeconds":3600} | {"profile":{"profileId":"$uuid","name":"$newname"}}
lambda ListFunctions20150331 R {"maxItems":50}
lambda GetFunction20150331v2,GetFunctionConfiguration20150331v2 R {"functionName":"$function"}
lambda Invoke DW {"functionName":"arn:aws:lambda:$region:$acct:function:$function","invocationType":"RequestResponse"}
lambda CreateFunction20150331 W {"functionName":"$newname","runtime":"python3.12","role":"arn:aws:iam::$acct:role/$role","handler":"index.handler","code":{},"publish":true} | {"functionName":"$newname","functionArn":"arn:aws:lambda:$region:$acct:function:$newname","state":"Pending"}
lambda UpdateFunctionCode20150331v2 W {"functionName":"$function","publish":false,"dryRun":false} | {"functionName":"$function","functionArn":"arn:aws:lambda:$region:$acct:function:$function","codeSha256":"$h64","lastModified":"$now"}
lambda UpdateFunctionConfiguration20150331v2 W {"functionName":"$function","environment":{}} | {"functionName":"$function","lastModified":"$now"}
lambda AddPermission20150331v2 W {"functionName":"$function","statementId":"$newname","action":"lambda:InvokeFunction","principal":"$foreign"} | {"statement":"{\"Sid\":\"$newname\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"$foreign\"}}"}
lambda PublishVersion20150331 W {"functionName":"$function"} | {"functionName":"$function","version":"$num"}
logs CreateLogStream W {"logGroupName":"/app/$service","logStreamName":"$path/[1]$h8"}
logs DescribeLogGroups R {"limit":50}
logs GetLogEvents R {"logGroupName":"/app/$service","logStreamName":"$path/[1]$h8"}
logs StartQuery R {"logGroupNames":["/app/$service"],"queryString":"HIDDEN_DUE_TO_SECURITY_REASONS"}
logs PutRetentionPolicy W {"logGroupName":"/app/$service","retentionInDays":1}
monitoring DescribeAlarms R {"maxRecords":100}
monitoring GetMetricData R {"startTime":"$spoken","endTime":"$spoken","scanBy":"TimestampDescending"}
monitoring ListMetrics R {"namespace":"AWS/EC2"}
monitoring PutMetricAlarm W {"alarmName":"$service-high-errors","namespace":"AWS/ApplicationELB","threshold":$num}
autoscaling DescribeAutoScalingGroups R {"maxRecords":100}
autoscaling SetDesiredCapacity W {"autoScalingGroupName":"$service-asg","desiredCapacity":$few}
elasticloadbalancing DescribeLoadBalancers,DescribeTargetGroups R {"pageSize":400}
elasticloadbalancing DescribeTargetHealth R {"targetGroupArn":"arn:aws:elasticloadbalancing:$region:$acct:targetgroup/$service/$h17"}
elasticloadbalancing RegisterTargets W {"targetGroupArn":"arn:aws:elasticloadbalancing:$region:$acct:targetgroup/$service/$h17","targets":[{"id":"$instance"}]}
elasticloadbalancing ModifyListener W {"listenerArn":"arn:aws:elasticloadbalancing:$region:$acct:listener/app/$service/$h17"}
rds DescribeDBInstances R {"maxRecords":100}
rds DescribeDBClusters R {"includeShared":false}
rds DescribeDBSnapshots R {"includeShared":false,"includePublic":false}
rds CreateDBSnapshot W {"dBInstanceIdentifier":"$db","dBSnapshotIdentifier":"$db-$day"} | {"dBSnapshotIdentifier":"$db-$day","dBInstanceIdentifier":"$db","status":"creating"}
rds ModifyDBSnapshotAttribute W {"dBSnapshotIdentifier":"$db-$day","attributeName":"restore","valuesToAdd":["$foreign"]} | {"dBSnapshotIdentifier":"$db-$day"}
rds StartExportTask W {"exportTaskIdentifier":"$newname","sourceArn":"arn:aws:rds:$region:$acct:snapshot:$db-$day","s3BucketName":"$bucket","iamRoleArn":"arn:aws:iam::$acct:role/$role"} | {"status":"STARTING"}
rds ModifyDBInstance W {"dBInstanceIdentifier":"$db","applyImmediately":true,"masterUserPassword":"****"} | {"dBInstanceIdentifier":"$db","dBInstanceStatus":"available"}
dynamodb ListTables R {"limit":100}
dynamodb DescribeTable R {"tableName":"$table"}
dynamodb ExportTableToPointInTime W {"tableArn":"arn:aws:dynamodb:$region:$acct:table/$table","s3Bucket":"$bucket","s3BucketOwner":"$foreign","exportFormat":"DYNAMODB_JSON"} | {"exportDescription":{"exportStatus":"IN_PROGRESS"}}
sqs ListQueues R {"maxResults":1000}
sqs GetQueueAttributes R {"queueUrl":"https://sqs.$region.amazonaws.com/$acct/$service","attributeNames":["ApproximateNumberOfMessages"]}
sns ListTopics R
sns Publish R {"topicArn":"arn:aws:sns:$region:$acct:$service-events"}
ecr GetAuthorizationToken R
ecr DescribeRepositories R {"maxResults":100}
ecr DescribeImages R {"repositoryName":"$service","maxResults":100}
ecr BatchGetImage R {"repositoryName":"$service","imageIds":[{"imageTag":"$h7"}]}
ecr GetDownloadUrlForLayer R {"repositoryName":"$service","layerDigest":"sha256:$h64"}
ecr InitiateLayerUpload W {"repositoryName":"$service"} | {"uploadId":"$uuid","partSize":10485760}
ecr PutImage W {"repositoryName":"$service","imageTag":"$tag","imageManifestMediaType":"application/vnd.docker.distribution.manifest.v2+json"} | {"image":{"repositoryName":"$service","registryId":"$acct","imageId":{"imageTag":"$tag","imageDigest":"sha256:$h64"}}}
ecs ListClusters R {"maxResults":100}
ecs DescribeServices R {"cluster":"$cluster","services":["$service"]}
ecs ListTasks R {"cluster":"$cluster"}
ecs DescribeTaskDefinition R {"taskDefinition":"$service"}
ecs RegisterTaskDefinition W {"family":"$service","networkMode":"awsvpc","cpu":"$cpu","memory":"4096","containerDefinitions":[{"name":"$service","image":"$acct.dkr.ecr.$region.amazonaws.com/$service:$tag"}]} | {"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:$region:$acct:task-definition/$service:$num","status":"ACTIVE"}}
ecs UpdateService W {"cluster":"$cluster","service":"$service","taskDefinition":"$service","forceNewDeployment":false} | {"service":{"serviceName":"$service","status":"ACTIVE"}}
ecs CreateService W {"cluster":"$cluster","serviceName":"$newname","desiredCount":$few,"launchType":"FARGATE"} | {"service":{"serviceName":"$newname","status":"ACTIVE"}}
ecs ExecuteCommand W {"cluster":"$cluster","task":"$h40","interactive":true,"command":"/bin/sh"} | {"session":{"sessionId":"ecs-execute-command-$h17","tokenValue":"HIDDEN_DUE_TO_SECURITY_REASONS"}}
eks DescribeCluster R {"name":"$cluster"}
eks ListClusters R {"maxResults":100}
eks CreateAccessEntry W {"name":"$cluster","principalArn":"arn:aws:iam::$acct:role/$role","type":"STANDARD"} | {"accessEntry":{"clusterName":"$cluster"}}
eks UpdateClusterConfig W {"name":"$cluster","resourcesVpcConfig":{"endpointPublicAccess":true}} | {"update":{"id":"$uuid","status":"InProgress"}}
cloudformation DescribeStacks R {"stackName":"$service"}
cloudformation CreateStack W {"stackName":"$newname","capabilities":["CAPABILITY_NAMED_IAM"]} | {"stackId":"arn:aws:cloudformation:$region:$acct:stack/$newname/$uuid"}
cloudfront CreateInvalidation W {"distributionId":"E$h17","invalidationBatch":{"paths":{"quantity":1,"items":["/*"]}}} | {"invalidation":{"id":"I$h8","status":"InProgress"}}
route53 ListHostedZones R {"maxItems":"100"}
route53 ListResourceRecordSets R {"hostedZoneId":"$zone","maxItems":"300"}
route53 ChangeResourceRecordSets W {"hostedZoneId":"$zone","changeBatch":{"changes":[{"action":"UPSERT","resourceRecordSet":{"name":"$newname.$domain","type":"A","tTL":60,"resourceRecords":[{"value":"$foreignip"}]}}]}} | {"changeInfo":{"id":"/change/C$h17","status":"PENDING"}}
acm ListCertificates R {"maxItems":100}
cloudtrail DescribeTrails R {"includeShadowTrails":true}
cloudtrail LookupEvents R {"maxResults":50}
cloudtrail GetTrailStatus R {"name":"org-trail"}
cloudtrail StopLogging W {"name":"arn:aws:cloudtrail:$region:$acct:trail/org-trail"}
cloudtrail PutEventSelectors W {"trailName":"org-trail","eventSelectors":[{"readWriteType":"WriteOnly","includeManagementEvents":true,"dataResources":[],"excludeManagementEventSources":["kms.amazonaws.com"]}]} | {"trailARN":"arn:aws:cloudtrail:$region:$acct:trail/org-trail"}
guardduty ListDetectors R
guardduty GetFindings R {"detectorId":"$detector","findingIds":["$h40"]}
guardduty ListFindings R {"detectorId":"$detector"}
guardduty UpdateDetector W {"detectorId":"$detector","enable":false}
guardduty CreateFilter W {"detectorId":"$detector","name":"$newname","action":"ARCHIVE"} | {"name":"$newname"}
guardduty CreateIPSet W {"detectorId":"$detector","name":"$newname","format":"TXT","activate":true} | {"ipSetId":"$h40"}
config PutEvaluations W {"resultToken":"HIDDEN","testMode":false}
config StopConfigurationRecorder W {"configurationRecorderName":"default"}
securityhub GetFindings R {"maxResults":100}
securityhub BatchImportFindings W {"findings":"HIDDEN_DUE_TO_SIZE"} | {"successCount":$num,"failedCount":0}
organizations ListAccounts,DescribeOrganization R
organizations LeaveOrganization W
account EnableRegion W {"regionName":"ap-east-1"}
ce GetCostAndUsage R {"timePeriod":{"start":"$day","end":"$day"},"granularity":"DAILY","metrics":["UnblendedCost"]}
budgets ViewBudget R {"accountId":"$acct"}
servicequotas ListServiceQuotas R {"serviceCode":"ec2"}
servicequotas RequestServiceQuotaIncrease W {"serviceCode":"ec2","quotaCode":"L-417A185B","desiredValue":$num} | {"requestedQuota":{"id":"$h40","status":"PENDING"}}
tagging GetResources R {"resourcesPerPage":100}
ses GetSendQuota,GetAccountSendingEnabled R
ses ListIdentities R {"maxItems":100}
ses VerifyEmailIdentity W {"emailAddress":"HIDDEN_DUE_TO_SECURITY_REASONS"}
ses GetIdentityVerificationAttributes R {"identities":["$domain"]}
ses SendEmail DW {"source":"HIDDEN_DUE_TO_SECURITY_REASONS","destination":{"toAddresses":["HIDDEN_DUE_TO_SECURITY_REASONS"]}}
bedrock ListFoundationModels R {"byOutputModality":"TEXT"}
bedrock GetFoundationModelAvailability,InvokeModel,InvokeModelWithResponseStream,Converse R {"modelId":"$model"}
bedrock GetModelInvocationLoggingConfiguration R
bedrock PutUseCaseForModelAccess W {"formData":"HIDDEN_DUE_TO_SECURITY_REASONS"}
bedrock CreateFoundationModelAgreement W {"modelId":"$model","offerToken":"HIDDEN_DUE_TO_SECURITY_REASONS"} | {"modelId":"$model"}
bedrock DeleteModelInvocationLoggingConfiguration W
codebuild BatchGetProjects R {"names":["$service"]}
codebuild ListProjects R
codebuild StartBuild W {"projectName":"$service"} | {"build":{"id":"$service:$uuid","buildStatus":"IN_PROGRESS"}}
codepipeline ListPipelines R
athena StartQueryExecution W {"queryString":"HIDDEN_DUE_TO_SECURITY_REASONS","workGroup":"primary","clientRequestToken":"$uuid"} | {"queryExecutionId":"$uuid2"}
athena GetQueryExecution,GetQueryResults R {"queryExecutionId":"$uuid"}
glue GetTable R {"databaseName":"lake","name":"$table"}
glue GetPartitions R {"databaseName":"lake","tableName":"$table"}
glue GetConnections R {"hidePassword":false}
glue StartJobRun W {"jobName":"$service-etl"} | {"jobRunId":"jr_$h64"}
states StartExecution W {"stateMachineArn":"arn:aws:states:$region:$acct:stateMachine:$service","input":"HIDDEN_DUE_TO_SECURITY_REASONS"} | {"executionArn":"arn:aws:states:$region:$acct:execution:$service:$uuid"}
cognito-idp ListUsers R {"userPoolId":"$userpool","limit":60}
cognito-idp AdminGetUser R {"userPoolId":"$userpool","username":"HIDDEN_DUE_TO_SECURITY_REASONS"}
backup StartBackupJob W {"backupVaultName":"Default","resourceArn":"arn:aws:rds:$region:$acct:db:$db"} | {"backupJobId":"$uuid"}
access-analyzer ListFindings R {"maxResults":100}
support DescribeTrustedAdvisorChecks R {"language":"en"}
"""


def catalogue() -> Dict[str, Op]:
    found: Dict[str, Op] = {}
    for line in TEXT.strip().splitlines():
        head, _, reply = line.partition(" | ")
        service, names, kind, *params = head.split(" ", 3)
        for name in names.split(","):
            key = f"{service}:{name.replace('20150331v2', '').replace('20150331', '')}"
            found[key] = Op(key, "cloudtrail", service, name, kind, params[0].strip() if params else "", reply.strip())
    return found
