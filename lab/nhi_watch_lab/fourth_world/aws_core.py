"""API calls of storage, compute, keys and logs, in the notation of aws_calls."""
TEXT = """
sts GetCallerIdentity R
sts AssumeRole R roleArn=arn:aws:iam::{account}:role/{role} roleSessionName={sname} durationSeconds=#3600 > credentials.accessKeyId={asia} credentials.sessionToken={token} credentials.expiration={expiry} assumedRoleUser.assumedRoleId={aroa}:{sname} assumedRoleUser.arn=arn:aws:sts::{account}:assumed-role/{role}/{sname}
sts AssumeRoleWithWebIdentity R roleArn=arn:aws:iam::{account}:role/{self} roleSessionName={sname} > credentials.accessKeyId={asia} credentials.sessionToken={token} credentials.expiration={expiry} subjectFromWebIdentityToken={subject} assumedRoleUser.assumedRoleId={aroa}:{sname} assumedRoleUser.arn=arn:aws:sts::{account}:assumed-role/{self}/{sname} provider={provider} audience=sts.amazonaws.com
sts GetSessionToken R durationSeconds=#43200
sts GetFederationToken R name={word} policy={json}
signin ConsoleLogin W > ConsoleLogin=Success
s3 ListBuckets R Host=s3.{region}.amazonaws.com
s3 GetObject RD bucketName={bucket} Host={bucket}.s3.{region}.amazonaws.com key={prefix}/{file}
s3 PutObject WD bucketName={bucket} Host={bucket}.s3.{region}.amazonaws.com key={prefix}/{file} > x-amz-server-side-encryption=aws:kms
s3 HeadObject RD bucketName={bucket} Host={bucket}.s3.{region}.amazonaws.com key={prefix}/{file}
s3 DeleteObject WD bucketName={bucket} Host={bucket}.s3.{region}.amazonaws.com key={prefix}/{file}
s3 CopyObject WD bucketName={bucket} Host={bucket}.s3.{region}.amazonaws.com key={prefix}/{file} x-amz-copy-source={bucket}/{prefix}/{file}
s3 ListObjects RD list-type=2 bucketName={bucket} prefix={prefix}/ Host={bucket}.s3.{region}.amazonaws.com
s3 GetBucketLocation R bucketName={bucket} location= Host=s3.{region}.amazonaws.com
s3 GetBucketAcl R bucketName={bucket} acl= Host={bucket}.s3.{region}.amazonaws.com
s3 GetBucketPolicy R bucketName={bucket} policy= Host={bucket}.s3.{region}.amazonaws.com
s3 GetBucketEncryption R bucketName={bucket} encryption= Host={bucket}.s3.{region}.amazonaws.com
s3 GetBucketPublicAccessBlock R publicAccessBlock= bucketName={bucket} Host={bucket}.s3.{region}.amazonaws.com
s3 GetBucketVersioning R bucketName={bucket} versioning= Host={bucket}.s3.{region}.amazonaws.com
s3 PutBucketPolicy W bucketName={bucket} policy= bucketPolicy.Version=2012-10-17 bucketPolicy.Statement.0.Effect=Allow bucketPolicy.Statement.0.Principal.AWS={stranger} bucketPolicy.Statement.0.Action=s3:GetObject bucketPolicy.Statement.0.Resource=arn:aws:s3:::{bucket}/*
s3 PutBucketLifecycle W bucketName={bucket} lifecycle= LifecycleConfiguration.Rule.Expiration.Days=#{small} LifecycleConfiguration.Rule.Status=Enabled
s3 PutBucketVersioning W bucketName={bucket} versioning= VersioningConfiguration.Status=Suspended
s3 PutBucketPublicAccessBlock W bucketName={bucket} publicAccessBlock= PublicAccessBlockConfiguration.BlockPublicAcls=#false
s3 CreateBucket W bucketName={word}-{hex8} CreateBucketConfiguration.LocationConstraint={region}
secretsmanager GetSecretValue R secretId={secret}
secretsmanager BatchGetSecretValue R filters.0.key=name filters.0.values.0={word}
secretsmanager ListSecrets R maxResults=#100
secretsmanager DescribeSecret R secretId={secret}
secretsmanager PutSecretValue W secretId={secret} clientRequestToken={uuid} > arn=arn:aws:secretsmanager:{region}:{account}:secret:{secret} versionId={uuid}
ssm GetParameter R name={param} withDecryption=#true
ssm GetParameters R names.0={param} withDecryption=#true
ssm GetParametersByPath R path=/{word} recursive=#true withDecryption=#true
ssm DescribeParameters R maxResults=#50
ssm UpdateInstanceInformation W instanceId={host} agentVersion=3.3.{small}.0 agentStatus=Active platformType=Linux platformName=Amazon~Linux
ssm ListInstanceAssociations R instanceId={host} maxResults=#20
ssm DescribeInstanceInformation R maxResults=#50
ssm SendCommand W documentName=AWS-RunShellScript instanceIds.0={instance} parameters=HIDDEN_DUE_TO_SECURITY_REASONS interactive=#false > command.commandId={uuid} command.status=Pending
ssm GetCommandInvocation R commandId={uuid} instanceId={instance}
ssm StartSession W target={instance} > sessionId={sname}-{hex17}
ssm PutParameter W name={param} type=SecureString value=HIDDEN_DUE_TO_SECURITY_REASONS overwrite=#true
kms Decrypt R encryptionContext.aws:service={word} encryptionAlgorithm=SYMMETRIC_DEFAULT
kms GenerateDataKey R keyId=arn:aws:kms:{region}:{account}:key/{kms} keySpec=AES_256
kms Sign R keyId=arn:aws:kms:{region}:{account}:key/{kms} messageType=RAW signingAlgorithm=RSASSA_PKCS1_V1_5_SHA_256
kms ListKeys R limit=#100
kms DescribeKey R keyId={kms}
kms ScheduleKeyDeletion W keyId={kms} pendingWindowInDays=#7
kms CreateGrant W keyId=arn:aws:kms:{region}:{account}:key/{kms} granteePrincipal={stranger} operations.0=Decrypt
dynamodb DescribeTable R tableName={table}
dynamodb GetItem RD tableName={table} key.id=HIDDEN
dynamodb PutItem WD tableName={table}
dynamodb Query RD tableName={table}
dynamodb Scan RD tableName={table}
dynamodb ListTables R
dynamodb ExportTableToPointInTime W tableArn=arn:aws:dynamodb:{region}:{account}:table/{table} s3Bucket={bucket}
logs CreateLogStream W logGroupName=/aws/{loggroup} logStreamName={hex32}
logs CreateLogGroup W logGroupName=/aws/{loggroup}
logs DescribeLogGroups R limit=#50
logs DescribeLogStreams R logGroupName=/aws/{loggroup}
logs FilterLogEvents R logGroupName=/aws/{loggroup} limit=#100
logs StartQuery R logGroupName=/aws/{loggroup} queryString=HIDDEN_DUE_TO_SECURITY_REASONS
logs DeleteLogGroup W logGroupName=/aws/{loggroup}
monitoring DescribeAlarms R maxRecords=#100
monitoring GetMetricData R
ec2 ModifyInstanceAttribute W instanceId={instance} userData=<sensitiveDataRemoved>
ec2 DescribeInstances R instancesSet= filterSet=
ec2 DescribeInstanceStatus R instancesSet.items.0.instanceId={instance}
ec2 DescribeSecurityGroups R securityGroupSet= filterSet=
ec2 DescribeVpcs R vpcSet= filterSet=
ec2 DescribeSubnets R subnetSet= filterSet=
ec2 DescribeVolumes R volumeSet= filterSet=
ec2 DescribeSnapshots R ownersSet.items.0.owner=self snapshotSet=
ec2 DescribeImages R ownersSet.items.0.owner=self imagesSet=
ec2 DescribeRegions R regionSet=
ec2 DescribeNetworkInterfaces R networkInterfaceIdSet= filterSet=
ec2 DescribeAddresses R publicIpsSet= filterSet=
ec2 DescribeKeyPairs R keySet=
ec2 DescribeInstanceAttribute R instanceId={instance} attribute=userData
ec2 DescribeTags R filterSet=
ec2 GetPasswordData R instanceId={instance}
ec2 CreateTags W resourcesSet.items.0.resourceId={instance} tagSet.items.0.key=owner tagSet.items.0.value={word}
ec2 CreateSnapshot W volumeId={volume} description={word}-backup > snapshotId=snap-{hex17} volumeId={volume} status=pending
ec2 DeleteSnapshot W snapshotId=snap-{hex17} force=#false
ec2 ModifySnapshotAttribute W snapshotId={snapshot} createVolumePermission.add.items.0.userId={strangerid} attributeType=CREATE_VOLUME_PERMISSION
ec2 ModifyImageAttribute W imageId={ami} launchPermission.add.items.0.userId={strangerid} attributeType=launchPermission
ec2 CreateImage W instanceId={instance} name={word}-{hex8} noReboot=#true
ec2 RunInstances W instancesSet.items.0.imageId={ami} instancesSet.items.0.minCount=#1 instancesSet.items.0.maxCount=#{small} instanceType={itype} monitoring.enabled=#false > reservationId=r-{hex17} instancesSet.items.0.instanceId=i-{hex17}
ec2 StartInstances W instancesSet.items.0.instanceId={instance}
ec2 StopInstances W instancesSet.items.0.instanceId={instance} force=#false
ec2 TerminateInstances W instancesSet.items.0.instanceId={instance}
ec2 CreateSecurityGroup W groupName={word}-{hex8} groupDescription={word} vpcId={vpc}
ec2 AuthorizeSecurityGroupIngress W groupId={sg} ipPermissions.items.0.ipProtocol=tcp ipPermissions.items.0.fromPort=#22 ipPermissions.items.0.toPort=#22 ipPermissions.items.0.ipRanges.items.0.cidrIp={cidr}
ec2 CreateKeyPair W keyName={word}-{hex8} keyType=rsa
ec2 ImportKeyPair W keyName={word}-{hex8}
ec2 DeleteFlowLogs W DeleteFlowLogsRequest.FlowLogId.content=fl-{hex17}
ec2 AssociateIamInstanceProfile W AssociateIamInstanceProfileRequest.InstanceId={instance} AssociateIamInstanceProfileRequest.IamInstanceProfile.Name={role}
autoscaling DescribeAutoScalingGroups R
autoscaling CompleteLifecycleAction W autoScalingGroupName={word}-asg instanceId={host} lifecycleActionResult=CONTINUE
autoscaling SetDesiredCapacity W autoScalingGroupName={word}-asg desiredCapacity=#{small}
elasticloadbalancing DescribeLoadBalancers R
elasticloadbalancing DescribeTargetHealth R targetGroupArn=arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{word}/{hex16}
elasticloadbalancing RegisterTargets W targetGroupArn=arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{word}/{hex16} targets.0.id={host}
ecr GetAuthorizationToken R
ecr BatchGetImage R registryId={account} repositoryName={repo} imageIds.0.imageTag={hex8}
ecr BatchCheckLayerAvailability R registryId={account} repositoryName={repo}
ecr GetDownloadUrlForLayer R registryId={account} repositoryName={repo} layerDigest=sha256:{hex32}{hex32}
ecr PutImage W registryId={account} repositoryName={repo} imageTag={hex8}
ecr InitiateLayerUpload R registryId={account} repositoryName={repo}
ecr DescribeRepositories R
ecr ListImages R repositoryName={repo}
ecs UpdateService W cluster={ecscluster} service={word} forceNewDeployment=#true
ecs RegisterTaskDefinition W family={word} networkMode=awsvpc taskRoleArn=arn:aws:iam::{account}:role/{role}
ecs DescribeServices R cluster={ecscluster} services.0={word}
ecs RunTask W cluster={ecscluster} taskDefinition={word}:{small} launchType=FARGATE
ecs ExecuteCommand W cluster={ecscluster} task={hex32} command=/bin/sh interactive=#true
eks DescribeCluster R name={cluster}
eks ListClusters R
eks CreateAccessEntry W name={cluster} principalArn=arn:aws:iam::{account}:role/{role}
eks AssociateAccessPolicy W name={cluster} principalArn=arn:aws:iam::{account}:role/{role} policyArn=arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy
lambda ListFunctions20150331 R
lambda GetFunction20150331v2 R functionName={func}
lambda GetPolicy20150331v2 R functionName={func}
lambda UpdateFunctionCode20150331v2 W functionName={func} dryRun=#false publish=#true > functionName={func} runtime=python3.12 codeSha256={token32}
lambda UpdateFunctionConfiguration20150331v2 W functionName={func} environment= > functionName={func}
lambda CreateFunction20150331 W functionName={word}-{hex8} runtime=python3.12 role=arn:aws:iam::{account}:role/{role} handler=index.handler
lambda AddPermission20150331v2 W functionName={func} statementId={hex8} principal={strangerid} action=lambda:InvokeFunction
lambda CreateFunctionUrlConfig W functionName={func} authType=NONE
"""
