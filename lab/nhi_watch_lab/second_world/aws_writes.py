# ruff: noqa: E501
"""CloudTrail write calls and the response elements that their records carry."""
WRITES = """
sts AssumeRole {"roleArn":"$rolearn","roleSessionName":"$sessname"}
sts GetFederationToken {"name":"$shortname","policy":"{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[{\\"Effect\\":\\"Allow\\",\\"Action\\":\\"*\\",\\"Resource\\":\\"*\\"}]}","durationSeconds":43200}
iam CreateUser {"userName":"$user"}
iam DeleteUser {"userName":"$user"}
iam CreateAccessKey {"userName":"$user"}
iam UpdateAccessKey {"userName":"$user","status":"Inactive","accessKeyId":"$akia"}
iam DeleteAccessKey {"userName":"$user","accessKeyId":"$akia"}
iam CreateLoginProfile {"userName":"$user","passwordResetRequired":false}
iam UpdateLoginProfile {"userName":"$user","passwordResetRequired":false}
iam AttachUserPolicy {"userName":"$user","policyArn":"$awspolicy"}
iam DetachUserPolicy {"userName":"$user","policyArn":"$awspolicy"}
iam PutUserPolicy {"userName":"$user","policyName":"$polname","policyDocument":"$poldoc"}
iam AddUserToGroup {"userName":"$user","groupName":"$group"}
iam CreateRole {"roleName":"$role","assumeRolePolicyDocument":"$trust","path":"/"}
iam DeleteRole {"roleName":"$role"}
iam UpdateAssumeRolePolicy {"roleName":"$role","policyDocument":"$trust"}
iam AttachRolePolicy {"roleName":"$role","policyArn":"$awspolicy"}
iam DetachRolePolicy {"roleName":"$role","policyArn":"$awspolicy"}
iam PutRolePolicy {"roleName":"$role","policyName":"$polname","policyDocument":"$poldoc"}
iam CreatePolicy {"policyName":"$polname","policyDocument":"$poldoc"}
iam CreatePolicyVersion {"policyArn":"$policy","policyDocument":"$poldoc","setAsDefault":true}
iam SetDefaultPolicyVersion {"policyArn":"$policy","versionId":"v1"}
iam TagRole {"roleName":"$role","tags":[{"key":"owner","value":"platform"}]}
iam CreateInstanceProfile {"instanceProfileName":"$role"}
iam AddRoleToInstanceProfile {"instanceProfileName":"$role","roleName":"$role"}
iam CreateOpenIDConnectProvider {"url":"$oidcurl","clientIDList":["sts.amazonaws.com"],"thumbprintList":["$hex40"]}
iam CreateSAMLProvider {"name":"$shortname","sAMLMetadataDocument":"HIDDEN_DUE_TO_SECURITY_REASONS"}
iam CreateServiceSpecificCredential {"userName":"$user","serviceName":"bedrock.amazonaws.com"}
iam DeactivateMFADevice {"userName":"$user","serialNumber":"arn:aws:iam::$account:mfa/$user"}
iam EnableMFADevice {"userName":"$user","serialNumber":"arn:aws:iam::$account:mfa/$user"}
iam PassRole {"roleArn":"$rolearn"}
s3 CreateBucket {"bucketName":"$bucket","Host":"s3.$region.amazonaws.com","CreateBucketConfiguration":{"LocationConstraint":"$region","xmlns":"http://s3.amazonaws.com/doc/2006-03-01/"}}
s3 DeleteBucket {"bucketName":"$bucket","Host":"$bucket.s3.$region.amazonaws.com"}
s3 PutBucketPolicy {"bucketName":"$bucket","Host":"$bucket.s3.$region.amazonaws.com","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::$partner:root"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::$bucket","arn:aws:s3:::$bucket/*"]}]}}
s3 PutBucketVersioning {"bucketName":"$bucket","versioning":"","Host":"$bucket.s3.$region.amazonaws.com","VersioningConfiguration":{"Status":"Suspended","xmlns":"http://s3.amazonaws.com/doc/2006-03-01/"}}
s3 PutBucketLifecycle {"bucketName":"$bucket","lifecycle":"","Host":"$bucket.s3.$region.amazonaws.com","LifecycleConfiguration":{"Rule":{"Expiration":{"Days":$days},"ID":"expire","Status":"Enabled","Filter":{"Prefix":""}}}}
s3 PutBucketReplication {"bucketName":"$bucket","replication":"","Host":"$bucket.s3.$region.amazonaws.com","ReplicationConfiguration":{"Role":"$rolearn","Rule":{"Status":"Enabled","Destination":{"Bucket":"arn:aws:s3:::$partnerbucket","Account":"$partner"}}}}
s3 PutBucketPublicAccessBlock {"bucketName":"$bucket","publicAccessBlock":"","Host":"$bucket.s3.$region.amazonaws.com","PublicAccessBlockConfiguration":{"BlockPublicAcls":false,"IgnorePublicAcls":false,"BlockPublicPolicy":false,"RestrictPublicBuckets":false}}
s3 PutBucketTagging {"bucketName":"$bucket","tagging":"","Host":"$bucket.s3.$region.amazonaws.com","Tagging":{"TagSet":{"Tag":{"Key":"team","Value":"platform"}}}}
s3 PutBucketEncryption {"bucketName":"$bucket","encryption":"","Host":"$bucket.s3.$region.amazonaws.com"}
*s3 PutObject {"bucketName":"$bucket","Host":"$bucket.s3.$region.amazonaws.com","key":"$objkey","x-amz-server-side-encryption":"aws:kms"}
*s3 CopyObject {"bucketName":"$bucket","Host":"$bucket.s3.$region.amazonaws.com","key":"$objkey","x-amz-copy-source":"$bucket/$objkey"}
*s3 DeleteObject {"bucketName":"$bucket","Host":"$bucket.s3.$region.amazonaws.com","key":"$objkey"}
*s3 DeleteObjects {"bucketName":"$bucket","delete":"","Host":"$bucket.s3.$region.amazonaws.com"}
ec2 RunInstances {"instancesSet":{"items":[{"imageId":"$ami","minCount":1,"maxCount":$count}]},"instanceType":"$itype","blockDeviceMapping":{},"monitoring":{"enabled":false},"disableApiTermination":false,"disableApiStop":false,"clientToken":"$uuid","subnetId":"$subnet"}
ec2 StartInstances {"instancesSet":{"items":[{"instanceId":"$instance"}]}}
ec2 StopInstances {"instancesSet":{"items":[{"instanceId":"$instance"}]},"force":false}
ec2 TerminateInstances {"instancesSet":{"items":[{"instanceId":"$instance"}]}}
ec2 RebootInstances {"instancesSet":{"items":[{"instanceId":"$instance"}]}}
ec2 ModifyInstanceAttribute {"instanceId":"$instance","userData":"<sensitiveDataRemoved>"}
ec2 CreateTags {"resourcesSet":{"items":[{"resourceId":"$instance"}]},"tagSet":{"items":[{"key":"Name","value":"$shortname"}]}}
ec2 CreateSnapshot {"volumeId":"$volume","description":"$shortname"}
ec2 CreateSnapshots {"CreateSnapshotsRequest":{"InstanceSpecification":{"InstanceId":"$instance","ExcludeBootVolume":false}}}
ec2 DeleteSnapshot {"snapshotId":"$snap"}
ec2 CopySnapshot {"sourceRegion":"$region","sourceSnapshotId":"$snap"}
ec2 ModifySnapshotAttribute {"snapshotId":"$snap","createVolumePermission":{"add":{"items":[{"userId":"$partner"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"}
ec2 CreateImage {"instanceId":"$instance","name":"$shortname","noReboot":true}
ec2 ModifyImageAttribute {"imageId":"$ami","launchPermission":{"add":{"items":[{"userId":"$partner"}]}},"attributeType":"launchPermission"}
ec2 DeregisterImage {"imageId":"$ami"}
ec2 CreateSecurityGroup {"groupName":"$shortname","groupDescription":"$shortname","vpcId":"$vpc"}
ec2 AuthorizeSecurityGroupIngress {"groupId":"$sg","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":$port,"toPort":$port,"groups":{},"ipRanges":{"items":[{"cidrIp":"$cidr"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}
ec2 RevokeSecurityGroupIngress {"groupId":"$sg","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":$port,"toPort":$port,"groups":{},"ipRanges":{"items":[{"cidrIp":"$cidr"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}
ec2 CreateKeyPair {"keyName":"$shortname","keyType":"rsa","keyFormat":"pem"}
ec2 ImportKeyPair {"keyName":"$shortname","publicKeyMaterial":"c3NoLXJzYQ=="}
ec2 CreateNetworkInterface {"subnetId":"$subnet","description":"$shortname","groupSet":{"items":[{"groupId":"$sg"}]},"privateIpAddressesSet":{}}
ec2 DeleteNetworkInterface {"networkInterfaceId":"$eni"}
ec2 CreateFlowLogs {"CreateFlowLogsRequest":{"ResourceType":"VPC","ResourceId":{"content":"$vpc","tag":1},"TrafficType":"ALL"}}
ec2 DeleteFlowLogs {"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"$flowlog"}}}
ec2 AssociateIamInstanceProfile {"AssociateIamInstanceProfileRequest":{"IamInstanceProfile":{"Name":"$role"},"InstanceId":"$instance"}}
ec2 CreateVpcPeeringConnection {"vpcId":"$vpc","peerOwnerId":"$partner","peerVpcId":"$vpc"}
ec2 AllocateAddress {"domain":"vpc"}
ec2-instance-connect SendSSHPublicKey {"instanceId":"$instance","instanceOSUser":"ec2-user","sSHPublicKey":"ssh-ed25519 $b64key"}
rds CreateDBSnapshot {"dBInstanceIdentifier":"$db","dBSnapshotIdentifier":"$dbsnap"}
rds DeleteDBSnapshot {"dBSnapshotIdentifier":"$dbsnap"}
rds CopyDBSnapshot {"sourceDBSnapshotIdentifier":"$dbsnap","targetDBSnapshotIdentifier":"$dbsnap-copy"}
rds ModifyDBSnapshotAttribute {"dBSnapshotIdentifier":"$dbsnap","attributeName":"restore","valuesToAdd":["$partner"]}
rds ModifyDBInstance {"dBInstanceIdentifier":"$db","masterUserPassword":"****","applyImmediately":true,"allowMajorVersionUpgrade":false}
rds RestoreDBInstanceFromDBSnapshot {"dBInstanceIdentifier":"$db-restore","dBSnapshotIdentifier":"$dbsnap","publiclyAccessible":true}
rds StartExportTask {"exportTaskIdentifier":"$shortname","sourceArn":"arn:aws:rds:$region:$account:snapshot:$dbsnap","s3BucketName":"$bucket","iamRoleArn":"$rolearn","kmsKeyId":"$kmsarn"}
lambda CreateFunction20150331 {"functionName":"$fn","runtime":"python3.12","role":"$rolearn","handler":"app.handler","code":{},"memorySize":256,"timeout":60,"publish":false}
lambda UpdateFunctionCode20150331v2 {"functionName":"$fn","s3Bucket":"$bucket","s3Key":"$objkey","publish":true,"dryRun":false}
lambda UpdateFunctionConfiguration20150331v2 {"functionName":"$fn","environment":{},"timeout":30}
lambda PublishVersion20150331 {"functionName":"$fn"}
lambda UpdateAlias20150331 {"functionName":"$fn","name":"live","functionVersion":"$count"}
lambda AddPermission20150331v2 {"functionName":"$fn","statementId":"$shortname","action":"lambda:InvokeFunction","principal":"$partner"}
lambda CreateFunctionUrlConfig {"functionName":"$fn","authType":"NONE","cors":{}}
lambda PublishLayerVersion20181031 {"layerName":"$shortname","compatibleRuntimes":["python3.12"],"content":{}}
lambda CreateEventSourceMapping20150331 {"eventSourceArn":"$queuearn","functionName":"$fn","batchSize":10,"enabled":true}
secretsmanager CreateSecret {"name":"$secretname","clientRequestToken":"$uuid"}
secretsmanager PutSecretValue {"secretId":"$secret","clientRequestToken":"$uuid"}
secretsmanager RotateSecret {"secretId":"$secret","clientRequestToken":"$uuid"}
secretsmanager DeleteSecret {"secretId":"$secret","recoveryWindowInDays":7}
ssm PutParameter {"name":"$param","type":"SecureString","overwrite":true}
ssm SendCommand {"documentName":"AWS-RunShellScript","instanceIds":["$instance"],"interactive":false,"parameters":"HIDDEN_DUE_TO_SECURITY_REASONS"}
ssm StartSession {"target":"$instance"}
ssm TerminateSession {"sessionId":"$sessname-$hex17"}
ssm ResumeSession {"sessionId":"$sessname-$hex17"}
ssm UpdateInstanceInformation {"instanceId":"$instance","agentVersion":"3.3.1611.0","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"$privip","computerName":"$host","agentName":"amazon-ssm-agent","availabilityZone":"$region$azl"}
ssm CreateDocument {"name":"$shortname","documentType":"Command","documentFormat":"YAML","content":"HIDDEN_DUE_TO_SECURITY_REASONS"}
ssm CreateAssociation {"name":"AWS-RunShellScript","targets":[{"key":"InstanceIds","values":["*"]}],"scheduleExpression":"rate(1 day)"}
kms CreateKey {"origin":"AWS_KMS","keyUsage":"ENCRYPT_DECRYPT","multiRegion":false}
kms CreateGrant {"keyId":"$kmsarn","granteePrincipal":"$rolearn","operations":["Decrypt","GenerateDataKey"]}
kms PutKeyPolicy {"keyId":"$kmsid","policyName":"default","policy":"$poldoc"}
kms ScheduleKeyDeletion {"keyId":"$kmsarn","pendingWindowInDays":7}
kms DisableKey {"keyId":"$kmsarn"}
dynamodb CreateTable {"tableName":"$table","billingMode":"PAY_PER_REQUEST"}
dynamodb UpdateTable {"tableName":"$table"}
dynamodb CreateBackup {"tableName":"$table","backupName":"$shortname"}
dynamodb ExportTableToPointInTime {"tableArn":"arn:aws:dynamodb:$region:$account:table/$table","s3Bucket":"$bucket","exportFormat":"DYNAMODB_JSON"}
*dynamodb PutItem {"tableName":"$table","key":{"pk":"HIDDEN_DUE_TO_SECURITY_REASONS"}}
*dynamodb UpdateItem {"tableName":"$table","key":{"pk":"HIDDEN_DUE_TO_SECURITY_REASONS"}}
sqs CreateQueue {"queueName":"$queuename"}
sqs SetQueueAttributes {"queueUrl":"$queue","attributes":{"Policy":"$poldoc"}}
sns CreateTopic {"name":"$shortname"}
sns Subscribe {"topicArn":"$topic","protocol":"https","endpoint":"HIDDEN_DUE_TO_SECURITY_REASONS"}
sns Publish {"topicArn":"$topic","message":"HIDDEN_DUE_TO_SECURITY_REASONS"}
ses VerifyEmailIdentity {"emailAddress":"$email"}
ses CreateEmailIdentity {"emailIdentity":"$domain2"}
ses UpdateAccountSendingEnabled {"enabled":true}
ses PutAccountDetails {"productionAccessEnabled":true,"mailType":"MARKETING","websiteURL":"HIDDEN_DUE_TO_SECURITY_REASONS","useCaseDescription":"HIDDEN_DUE_TO_SECURITY_REASONS"}
ses DeleteIdentity {"identity":"$email"}
logs CreateLogStream {"logGroupName":"$loggroup","logStreamName":"$logstream"}
logs CreateLogGroup {"logGroupName":"$loggroup"}
logs PutRetentionPolicy {"logGroupName":"$loggroup","retentionInDays":30}
logs DeleteLogGroup {"logGroupName":"$loggroup"}
logs CreateExportTask {"logGroupName":"$loggroup","destination":"$bucket","from":1772000000000,"to":1772086400000}
cloudwatch PutMetricAlarm {"alarmName":"$shortname","metricName":"CPUUtilization","namespace":"AWS/EC2"}
cloudwatch DeleteAlarms {"alarmNames":["$shortname"]}
cloudtrail StopLogging {"name":"$trail"}
cloudtrail StartLogging {"name":"$trail"}
cloudtrail UpdateTrail {"name":"$trail","isMultiRegionTrail":false,"includeGlobalServiceEvents":false}
cloudtrail DeleteTrail {"name":"$trail"}
cloudtrail PutEventSelectors {"trailName":"$trail","eventSelectors":[{"readWriteType":"ReadOnly","includeManagementEvents":true,"dataResources":[],"excludeManagementEventSources":[]}]}
guardduty UpdateDetector {"detectorId":"$detector","enable":false}
guardduty CreateFilter {"detectorId":"$detector","name":"$shortname","action":"ARCHIVE"}
guardduty CreateIPSet {"detectorId":"$detector","name":"$shortname","format":"TXT","activate":true}
guardduty ArchiveFindings {"detectorId":"$detector","findingIds":["$hex32"]}
config StopConfigurationRecorder {"configurationRecorderName":"default"}
config PutEvaluations {"evaluations":[],"resultToken":"HIDDEN_DUE_TO_SECURITY_REASONS"}
organizations LeaveOrganization -
organizations InviteAccountToOrganization {"target":{"type":"ACCOUNT","id":"HIDDEN_DUE_TO_SECURITY_REASONS"}}
account EnableRegion {"RegionName":"$otherregion"}
servicequotas RequestServiceQuotaIncrease {"serviceCode":"ec2","quotaCode":"L-1216C47A","desiredValue":256}
rolesanywhere CreateTrustAnchor {"name":"$shortname","enabled":true,"source":{"sourceType":"CERTIFICATE_BUNDLE","sourceData":{"x509CertificateData":"-----BEGIN CERTIFICATE-----"}}}
rolesanywhere CreateProfile {"name":"$shortname","roleArns":["$rolearn"],"durationSeconds":3600,"enabled":true}
ecs UpdateService {"cluster":"$ecscluster","service":"$svc","taskDefinition":"$taskdef","forceNewDeployment":true}
ecs RegisterTaskDefinition {"family":"$svc","taskRoleArn":"$rolearn","networkMode":"awsvpc","cpu":"1024","memory":"4096","requiresCompatibilities":["FARGATE"],"containerDefinitions":[{"name":"$svc","image":"$image","essential":true}]}
ecs CreateCluster {"clusterName":"$shortname"}
ecs RunTask {"cluster":"$ecscluster","taskDefinition":"$taskdef","count":$count,"launchType":"FARGATE"}
ecs CreateService {"cluster":"$ecscluster","serviceName":"$shortname","taskDefinition":"$taskdef","desiredCount":$count,"launchType":"FARGATE"}
ecs ExecuteCommand {"cluster":"$ecscluster","task":"$taskarn","container":"$svc","interactive":true,"command":"HIDDEN_DUE_TO_SECURITY_REASONS"}
eks CreateAccessEntry {"name":"$cluster","principalArn":"$rolearn"}
eks AssociateAccessPolicy {"name":"$cluster","principalArn":"$rolearn","policyArn":"arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy","accessScope":{"type":"cluster"}}
eks UpdateNodegroupConfig {"name":"$cluster","nodegroupName":"default","scalingConfig":{"minSize":2,"maxSize":$count}}
ecr PutImage {"registryId":"$account","repositoryName":"$repo","imageTag":"$hex7"}
ecr InitiateLayerUpload {"registryId":"$account","repositoryName":"$repo"}
ecr CompleteLayerUpload {"registryId":"$account","repositoryName":"$repo","layerDigests":["sha256:$hex64"]}
ecr SetRepositoryPolicy {"repositoryName":"$repo","policyText":"$poldoc","force":false}
elasticloadbalancing RegisterTargets {"targetGroupArn":"$tgarn","targets":[{"id":"$instance"}]}
elasticloadbalancing DeregisterTargets {"targetGroupArn":"$tgarn","targets":[{"id":"$instance"}]}
autoscaling SetDesiredCapacity {"autoScalingGroupName":"$asg","desiredCapacity":$count,"honorCooldown":false}
autoscaling UpdateAutoScalingGroup {"autoScalingGroupName":"$asg","maxSize":$count}
autoscaling StartInstanceRefresh {"autoScalingGroupName":"$asg"}
cloudformation CreateChangeSet {"stackName":"$stack","changeSetName":"deploy-$hex7","capabilities":["CAPABILITY_IAM"]}
cloudformation ExecuteChangeSet {"stackName":"$stack","changeSetName":"deploy-$hex7"}
cloudformation CreateStack {"stackName":"$stack","capabilities":["CAPABILITY_NAMED_IAM"]}
cloudfront CreateInvalidation {"distributionId":"$dist","invalidationBatch":{"callerReference":"$hex17","paths":{"quantity":1,"items":["/*"]}}}
route53 ChangeResourceRecordSets {"hostedZoneId":"$zone","changeBatch":{"changes":[{"action":"UPSERT","resourceRecordSet":{"name":"$domain2","type":"A"}}]}}
acm RequestCertificate {"domainName":"$domain2","validationMethod":"DNS"}
athena StartQueryExecution {"queryString":"HIDDEN_DUE_TO_SECURITY_REASONS","queryExecutionContext":{"database":"$gluedb"},"workGroup":"primary"}
glue StartJobRun {"jobName":"$shortname"}
glue CreateDevEndpoint {"endpointName":"$shortname","roleArn":"$rolearn"}
glue UpdateTable {"databaseName":"$gluedb","tableInput":{"name":"$gluetable"}}
states StartExecution {"stateMachineArn":"$sfn","input":"HIDDEN_DUE_TO_SECURITY_REASONS"}
events PutRule {"name":"$shortname","scheduleExpression":"rate(5 minutes)","state":"ENABLED"}
events PutTargets {"rule":"$shortname","targets":[{"id":"1","arn":"$fnarn"}]}
backup StartBackupJob {"backupVaultName":"Default","resourceArn":"arn:aws:rds:$region:$account:db:$db","iamRoleArn":"$rolearn"}
sagemaker CreatePresignedNotebookInstanceUrl {"notebookInstanceName":"$shortname","sessionExpirationDurationInSeconds":43200}
sagemaker CreateNotebookInstance {"notebookInstanceName":"$shortname","instanceType":"ml.g5.12xlarge","roleArn":"$rolearn"}
sagemaker CreateTrainingJob {"trainingJobName":"$shortname","roleArn":"$rolearn"}
bedrock PutUseCaseForModelAccess {"formData":"HIDDEN_DUE_TO_SECURITY_REASONS"}
bedrock CreateFoundationModelAgreement {"modelId":"$model","offerToken":"HIDDEN_DUE_TO_SECURITY_REASONS"}
bedrock PutFoundationModelEntitlement {"modelId":"$model"}
bedrock DeleteModelInvocationLoggingConfiguration -
redshift ModifyCluster {"clusterIdentifier":"$rscluster","masterUserPassword":"****"}
codebuild StartBuild {"projectName":"$repo"}
"""

# response elements of writes; anything else answers null
RESPONSES = """
CreateUser {"user":{"path":"/","arn":"arn:aws:iam::$account:user/@userName","userId":"$aida","createDate":"$now","userName":"@userName"}}
CreateAccessKey {"accessKey":{"accessKeyId":"$akia","status":"Active","userName":"@userName","createDate":"$now"}}
CreateLoginProfile {"loginProfile":{"userName":"@userName","createDate":"$now","passwordResetRequired":false}}
CreateRole {"role":{"path":"/","assumeRolePolicyDocument":"%7B%22Version%22%3A%222012-10-17%22%7D","arn":"arn:aws:iam::$account:role/@roleName","roleId":"$aroa","createDate":"$now","roleName":"@roleName"}}
CreatePolicy {"policy":{"policyName":"@policyName","policyId":"$anpa","arn":"arn:aws:iam::$account:policy/@policyName","path":"/","defaultVersionId":"v1","attachmentCount":0,"isAttachable":true,"createDate":"$now","updateDate":"$now"}}
CreatePolicyVersion {"policyVersion":{"versionId":"v2","isDefaultVersion":true,"createDate":"$now"}}
CreateOpenIDConnectProvider {"openIDConnectProviderArn":"arn:aws:iam::$account:oidc-provider/$shortname"}
AssumeRole {"credentials":{"accessKeyId":"$asia","sessionToken":"$token","expiration":"$later"},"assumedRoleUser":{"assumedRoleId":"$aroa:@roleSessionName","arn":"arn:aws:sts::$account:assumed-role/@rolename/@roleSessionName"}}
GetFederationToken {"credentials":{"accessKeyId":"$asia","sessionToken":"$token","expiration":"$later"},"federatedUser":{"federatedUserId":"$account:@name","arn":"arn:aws:sts::$account:federated-user/@name"},"packedPolicySize":4}
GetSessionToken {"credentials":{"accessKeyId":"$asia","sessionToken":"$token","expiration":"$later"}}
RunInstances {"requestId":"$uuid","reservationId":"r-$hex17","ownerId":"$account","groupSet":{},"instancesSet":{"items":[{"instanceId":"i-$hex17","imageId":"$ami","currentState":{"code":0,"name":"pending"}}]}}
StartInstances {"requestId":"$uuid","instancesSet":{"items":[{"instanceId":"$instance","currentState":{"code":0,"name":"pending"},"previousState":{"code":80,"name":"stopped"}}]}}
StopInstances {"requestId":"$uuid","instancesSet":{"items":[{"instanceId":"$instance","currentState":{"code":64,"name":"stopping"},"previousState":{"code":16,"name":"running"}}]}}
ModifySnapshotAttribute {"requestId":"$uuid","_return":true}
ModifyImageAttribute {"requestId":"$uuid","_return":true}
ModifyInstanceAttribute {"requestId":"$uuid","_return":true}
CreateSnapshot {"requestId":"$uuid","snapshotId":"snap-$hex17","volumeId":"@volumeId","status":"pending","startTime":1772500000000,"progress":"","ownerId":"$account","volumeSize":100,"encrypted":true}
CreateImage {"requestId":"$uuid","imageId":"ami-$hex17"}
CreateTags {"requestId":"$uuid","_return":true}
AuthorizeSecurityGroupIngress {"requestId":"$uuid","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"$account","groupId":"@groupId","securityGroupRuleId":"sgr-$hex17","isEgress":false,"ipProtocol":"tcp"}]}}
CreateSecurityGroup {"requestId":"$uuid","_return":true,"groupId":"sg-$hex17"}
SendCommand {"command":{"commandId":"$uuid","documentName":"AWS-RunShellScript","documentVersion":"$DEFAULT","comment":"","status":"Pending","targetCount":1,"completedCount":0,"errorCount":0,"timeoutSeconds":3600}}
StartSession {"sessionId":"$sessname-$hex17","tokenValue":"Value hidden due to security reasons.","streamUrl":"wss://ssmmessages.$region.amazonaws.com/v1/data-channel/$sessname"}
SendSSHPublicKey {"requestId":"$uuid","success":true}
CreateDBSnapshot {"dBSnapshotIdentifier":"@dBSnapshotIdentifier","dBInstanceIdentifier":"@dBInstanceIdentifier","status":"creating","snapshotType":"manual","encrypted":true}
ModifyDBSnapshotAttribute {"dBSnapshotIdentifier":"@dBSnapshotIdentifier","dBSnapshotAttributes":[{"attributeName":"restore","attributeValues":["$partner"]}]}
UpdateFunctionCode20150331v2 {"functionName":"@functionName","functionArn":"$fnarn","runtime":"python3.12","role":"$rolearn","handler":"app.handler","codeSize":$size,"codeSha256":"$b64key","version":"$count","revisionId":"$uuid","state":"Active"}
CreateFunction20150331 {"functionName":"@functionName","functionArn":"$fnarn","runtime":"python3.12","handler":"app.handler","codeSize":$size,"state":"Pending","revisionId":"$uuid"}
CreateSecret {"aRN":"$secret","name":"@name","versionId":"$uuid"}
PutParameter {"version":$count,"tier":"Standard"}
StartQueryExecution {"queryExecutionId":"$uuid"}
StartQuery {"queryId":"$uuid"}
RunTask {"tasks":[{"taskArn":"$taskarn","clusterArn":"arn:aws:ecs:$region:$account:cluster/$ecscluster","lastStatus":"PROVISIONING"}],"failures":[]}
UpdateInstanceInformation null
CreateInvalidation {"location":"https://cloudfront.amazonaws.com/2020-05-31/distribution/$dist/invalidation/I$hex17"}
ChangeResourceRecordSets {"changeInfo":{"id":"/change/$change","status":"PENDING","submittedAt":"$now"}}
"""
