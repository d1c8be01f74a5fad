"""API calls of identity, governance, data, models and delivery, in the notation of aws_calls."""
TEXT = """
iam DeactivateMFADevice W userName={user} serialNumber=arn:aws:iam::{account}:mfa/{user}
iam ListUsers R
iam ListRoles R maxItems=#100
iam ListAccessKeys R userName={user}
iam ListAttachedRolePolicies R roleName={role}
iam ListAttachedUserPolicies R userName={user}
iam ListUserPolicies R userName={user}
iam ListRolePolicies R roleName={role}
iam ListGroupsForUser R userName={user}
iam GetUser R userName={user}
iam GetRole R roleName={role}
iam GetPolicyVersion R policyArn=arn:aws:iam::{account}:policy/{policy} versionId=v{small}
iam GetRolePolicy R roleName={role} policyName={policy}
iam GetAccountAuthorizationDetails R maxItems=#1000
iam GetAccountSummary R
iam GetAccountPasswordPolicy R
iam SimulatePrincipalPolicy R policySourceArn=arn:aws:iam::{account}:role/{role} actionNames.0=s3:GetObject
iam GenerateCredentialReport R
iam GetCredentialReport R
iam ListInstanceProfiles R
iam CreateUser W userName={newuser} > user.userName={newuser} user.userId={aida} user.arn=arn:aws:iam::{account}:user/{newuser} user.path=/
iam CreateAccessKey W userName={user} > accessKey.userName={user} accessKey.accessKeyId={akia} accessKey.status=Active
iam DeleteAccessKey W userName={user} accessKeyId={akia}
iam UpdateAccessKey W userName={user} accessKeyId={akia} status=Inactive
iam CreateLoginProfile W userName={user} passwordResetRequired=#false
iam UpdateLoginProfile W userName={user}
iam AttachUserPolicy W userName={user} policyArn=arn:aws:iam::aws:policy/AdministratorAccess
iam AttachRolePolicy W roleName={role} policyArn=arn:aws:iam::aws:policy/{managed}
iam DetachRolePolicy W roleName={role} policyArn=arn:aws:iam::aws:policy/{managed}
iam PutRolePolicy W roleName={role} policyName={word}-inline policyDocument={json}
iam CreateRole W roleName={word}-{hex8} assumeRolePolicyDocument={json} > role.roleName={word}
iam CreatePolicyVersion W policyArn=arn:aws:iam::{account}:policy/{policy} policyDocument={json} setAsDefault=#true
iam UpdateAssumeRolePolicy W roleName={role} policyDocument={json}
iam AddUserToGroup W userName={user} groupName=Administrators
iam CreateServiceLinkedRole W aWSServiceName=spot.amazonaws.com
iam CreateOpenIDConnectProvider W url=https://{word}.example-idp.net
iam CreateSAMLProvider W name={word}-idp
rolesanywhere CreateTrustAnchor W name={word} enabled=#true source.sourceType=CERTIFICATE_BUNDLE
rolesanywhere CreateProfile W name={word} roleArns.0=arn:aws:iam::{account}:role/{role}
organizations DescribeOrganization R
organizations ListAccounts R
ce GetCostAndUsage R timePeriod.start={day} timePeriod.end={day} granularity=DAILY
cloudtrail DescribeTrails R
cloudtrail LookupEvents R maxResults=#50
cloudtrail GetTrailStatus R name={trail}
cloudtrail StopLogging W name=arn:aws:cloudtrail:{region}:{account}:trail/{trail}
cloudtrail DeleteTrail W name=arn:aws:cloudtrail:{region}:{account}:trail/{trail}
cloudtrail PutEventSelectors W trailName={trail} eventSelectors.0.readWriteType=WriteOnly eventSelectors.0.includeManagementEvents=#true
cloudtrail UpdateTrail W name={trail} isMultiRegionTrail=#false
guardduty ListDetectors R
guardduty UpdateDetector W detectorId={hex32} enable=#false
guardduty CreateIPSet W detectorId={hex32} name={word} location=s3://{bucket}/{file}
config DescribeConfigRules R
config StopConfigurationRecorder W configurationRecorderName=default
securityhub GetFindings R maxResults=#100
access-analyzer ListAnalyzers R
glue GetTable R databaseName={gluedb} name={gluetable}
glue GetTables R databaseName={gluedb}
glue GetDatabases R
glue GetPartitions R databaseName={gluedb} tableName={gluetable}
glue BatchCreatePartition W databaseName={gluedb} tableName={gluetable}
glue UpdateTable W databaseName={gluedb} tableInput.name={gluetable}
glue StartJobRun W jobName={word}-etl > jobRunId=jr_{hex32}{hex32}
glue GetConnections R
glue UpdateJob W jobName={word}-etl jobUpdate.command.scriptLocation=s3://{bucket}/{prefix}/{word}.py
lakeformation GetDataAccess R tableArn=arn:aws:glue:{region}:{account}:table/{gluedb}/{gluetable} permissions.0=SELECT
lakeformation GrantPermissions W principal.dataLakePrincipalIdentifier={stranger} permissions.0=SELECT permissions.1=DESCRIBE
athena StartQueryExecution W queryString=***OMITTED*** workGroup={workgroup} queryExecutionContext.database={gluedb} > queryExecutionId={uuid}
athena GetQueryExecution R queryExecutionId={uuid}
athena GetQueryResults R queryExecutionId={uuid} maxResults=#1000
athena ListWorkGroups R
athena ListQueryExecutions R workGroup={workgroup}
redshift DescribeClusters R
redshift GetClusterCredentials R clusterIdentifier={rs} dbUser={word} autoCreate=#false
redshift CreateClusterSnapshot W snapshotIdentifier={word}-{day} clusterIdentifier={rs}
redshift-data ExecuteStatement W clusterIdentifier={rs} database=prod sql=***OMITTED*** > id={uuid}
redshift-data DescribeStatement R id={uuid}
redshift-data GetStatementResult R id={uuid}
elasticmapreduce DescribeCluster R clusterId={emr}
elasticmapreduce ListInstanceGroups R clusterId={emr}
elasticmapreduce AddJobFlowSteps W jobFlowId={emr}
rds DescribeDBInstances R
rds DescribeDBSnapshots R
rds CreateDBSnapshot W dBSnapshotIdentifier={word}-{day} dBInstanceIdentifier={rds}
rds ModifyDBSnapshotAttribute W dBSnapshotIdentifier={word}-{day} attributeName=restore valuesToAdd.0={strangerid}
rds ModifyDBInstance W dBInstanceIdentifier={rds} masterUserPassword=**** applyImmediately=#true
sagemaker DescribeTrainingJob R trainingJobName={word}-{hex8}
sagemaker CreateTrainingJob W trainingJobName={word}-{hex8} roleArn=arn:aws:iam::{account}:role/{role} resourceConfig.instanceType=ml.{itype}
sagemaker ListTrainingJobs R
sagemaker ListNotebookInstances R
sagemaker DescribeEndpoint R endpointName={word}-ep
sagemaker CreatePresignedNotebookInstanceUrl W notebookInstanceName={word}-nb
sagemaker CreateProcessingJob W processingJobName={word}-{hex8} roleArn=arn:aws:iam::{account}:role/{role}
sagemaker CreateNotebookInstance W notebookInstanceName={word}-nb instanceType=ml.{itype} roleArn=arn:aws:iam::{account}:role/{role}
sagemaker AddTags W resourceArn=arn:aws:sagemaker:{region}:{account}:endpoint/{word}
bedrock InvokeModel R modelId={model} > 
bedrock InvokeModelWithResponseStream R modelId={model}
bedrock Converse R modelId={model}
bedrock ListFoundationModels R
bedrock GetFoundationModelAvailability R modelId={model}
bedrock GetModelInvocationLoggingConfiguration R
bedrock DeleteModelInvocationLoggingConfiguration W
bedrock GetUseCaseForModelAccess R
bedrock PutUseCaseForModelAccess W formData=<sensitiveDataRemoved>
bedrock CreateFoundationModelAgreement W modelId={model} offerToken={token32}
bedrock PutFoundationModelEntitlement W modelId={model}
bedrock ListInferenceProfiles R
bedrock Retrieve R knowledgeBaseId={up10}
sqs ListQueues R
sqs GetQueueAttributes R queueUrl=https://sqs.{region}.amazonaws.com/{account}/{queue}
sqs PurgeQueue W queueUrl=https://sqs.{region}.amazonaws.com/{account}/{queue}
sns ListTopics R
sns Publish WD topicArn=arn:aws:sns:{region}:{account}:{topic} message=HIDDEN_DUE_TO_SECURITY_REASONS
ses SendEmail W source=no-reply@{domain} destination.toAddresses.0=HIDDEN_DUE_TO_SECURITY_REASONS
ses SendRawEmail W source=no-reply@{domain}
ses GetSendQuota R
ses ListIdentities R
ses GetAccount R
ses VerifyEmailIdentity W emailAddress={word}@{domain}
ses UpdateAccountSendingEnabled W enabled=#true
cloudformation DescribeStacks R stackName={stack}
cloudformation DescribeStackEvents R stackName={stack}
cloudformation CreateChangeSet W stackName={stack} changeSetName={word}-{hex8} capabilities.0=CAPABILITY_NAMED_IAM
cloudformation ExecuteChangeSet W changeSetName={word}-{hex8} stackName={stack}
cloudformation CreateStack W stackName={word}-{hex8} capabilities.0=CAPABILITY_NAMED_IAM roleARN=arn:aws:iam::{account}:role/{role}
cloudformation ListStacks R
cloudformation GetTemplate R stackName={stack}
codebuild UpdateProject W name={word}-build source.buildspec=HIDDEN
route53 ListHostedZones R
route53 ListResourceRecordSets R id={zone}
route53 ChangeResourceRecordSets W hostedZoneId={zone} changeBatch.changes.0.action=UPSERT changeBatch.changes.0.resourceRecordSet.name={word}.{domain}
backup StartBackupJob W backupVaultName=Default resourceArn=arn:aws:ec2:{region}:{account}:volume/{volume} iamRoleArn=arn:aws:iam::{account}:role/{role}
backup ListRecoveryPointsByBackupVault R backupVaultName=Default
backup DeleteBackupVault W backupVaultName={word}-vault
backup DeleteRecoveryPoint W backupVaultName=Default recoveryPointArn=arn:aws:ec2:{region}::snapshot/{snapshot}
states StartExecution W stateMachineArn=arn:aws:states:{region}:{account}:stateMachine:{statemachine} > executionArn=arn:aws:states:{region}:{account}:execution:{statemachine}:{uuid}
events PutRule W name={word}-{hex8} scheduleExpression=rate(1~hour)
tagging GetResources R resourcesPerPage=#100
servicequotas RequestServiceQuotaIncrease W serviceCode=ec2 quotaCode=L-417A185B desiredValue=#256
servicequotas ListServiceQuotas R serviceCode=ec2
servicequotas GetServiceQuota R serviceCode=ec2 quotaCode=L-1216C47A
health DescribeEventAggregates R
sso ListInstances R
sso CreateAccountAssignment W targetId={account} targetType=AWS_ACCOUNT principalType=USER principalId={uuid}
cloudfront CreateInvalidation W distributionId={distribution} invalidationBatch.paths.quantity=#1
ecs CreateCluster W clusterName={word}-{hex8}
"""
