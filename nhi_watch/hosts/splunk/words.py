"""Texts that rows of behaviours are likely to hold, the likeliest last: what the compression of `parts` begins with.

A row of a few behaviours is too short to repeat itself; with these it takes a quarter less. Rows are unpacked with the
very bytes with which they were packed: another text needs another version of `parts`.
"""

WORDS = (
    b'"gcp","storage.objects.get","storage.googleapis.com","iam.googleapis.com","compute.googleapis.com",'
    b'"entra","UserLoggedIn","FileAccessed","MailItemsAccessed","Add service principal credentials","okta",'
    b'"user.session.start","app.oauth2.token.grant","github","git.clone","git.push","org.","repo:",'
    b'"ref:refs/heads/main","gitlab","kubernetes","secrets:get","pods:list","configmaps:get","leases:update",'
    b'"vault","kv-v2:read","auth/token:create","workspace","token:authorize",user","token","app",'
    b'"service_account","web_identity","credential","workload","person","root","gcp","entra","okta","github",'
    b'"gitlab","kubernetes","m365","vault","workspace","snowflake","salesforce","bedrock","openai",'
    b'"system:serviceaccount:","oidc:repo:","key","oauth","certificate","password","failure","denied","error",'
    b'"AccessDenied","UnauthorizedOperation","ThrottlingException","NoSuchKey","aws-internal","console","mfa",'
    b'"browser","delegated","cross_account","impersonation","token_minted","third_party","us-west-2",'
    b'"eu-central-1","ap-southeast-1","us-east-1","eu-west-1","permissions","cost","unknown","tagging","list",'
    b'"read","write","foreign","public","own","vpce:vpce-0","AWS Internal","boto3","botocore","aws-sdk-go",'
    b'"aws-sdk-java","aws-cli","Terraform","kubectl","curl","python-requests","axios","okhttp",'
    b'"logs:CreateLogStream","logs","write","logs:PutLogEvents","dynamodb:GetItem","dynamodb:PutItem",'
    b'"dynamodb:Query","lambda:Invoke","lambda","ec2:DescribeInstances","ec2","read","kms:Decrypt","kms",'
    b'"read","kms:GenerateDataKey","kms","write","secretsmanager:GetSecretValue","secretsmanager","read",'
    b'"sqs:ReceiveMessage","sqs:SendMessage","sns:Publish","ssm:GetParameter","ssm","s3:ListObjects","s3",'
    b'"list","s3:PutObject","s3","write","s3:GetObject","s3","read","sts:GetCallerIdentity","sts:AssumeRole",'
    b'"sts","write","arn:aws:s3:::","arn:aws:secretsmanager:eu-west-1:","arn:aws:kms:us-east-1:",'
    b'"arn:aws:lambda:us-east-1:","AKIA","arn:aws:iam::","arn:aws:sts::","user/","user","aws","",""],'
    b'["arn:aws:iam::","aws:","role:AROA","arn:aws:iam::","role/","role","aws","",""]],[[0,"","","session",'
    b'"sts:AssumeRole","sts","write","10.","198.51.100.0/24","boto3","us-east-1","success","","own",[]],[0,"",'
    b'"","key","s3:GetObject","s3","read","","aws-cli","eu-west-1","success","","foreign",[]]],[[],["ASIA"],'
    b'["arn:aws:iam::"],["10."],["ASIA"]],[0,0,1,0,0,0,1,1,2,3,4,0,0,1,1,0,0,0,1,1,0,2,0,0,1,2,1,0,0,0,1,0,0,'
    b"3,0,0],1]"
)
