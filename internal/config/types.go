package config

import "time"

// Lab says which systems are under test and where they are: the validated
// content of lakeproof.yaml, secrets resolved. Zero values mean "not in use".
type Lab struct {
	Name     string
	Embedded bool // the embedded lab of our own process; every figure says so
	Kafka    Kafka
	Catalog  Catalog
	Storage  Storage
	Spark    []Spark
	Registry Registry
	Clusters map[string]Kafka // further Kafka clusters that the exporters watch, by name
}

// Kafka is one cluster.
type Kafka struct {
	Brokers []string // host:port, at least one when Kafka is in use
	TLS     TLS
	SASL    SASL
}

// TLS is how a connection is secured. Enabled is true when the key tls is
// present, even when empty (system roots).
type TLS struct {
	Enabled            bool
	CAFile             string // PEM; default: the system's roots
	CertFile, KeyFile  string // PEM; both or neither (mTLS)
	ServerName         string // default: the host dialled
	InsecureSkipVerify bool   // default false
}

// SASL is a login. Mechanism is one of [Mechanisms]; empty means none.
type SASL struct {
	Mechanism string

	// Of PLAIN and SCRAM. PasswordFile, where set, is read again at each login.
	Username     string
	Password     Secret
	PasswordFile string

	// Of OAUTHBEARER, one of them. TokenFile is read again at each login.
	Token     Secret
	TokenFile string
	OAuth2    OAuth2

	AWS AWS // of AWS_MSK_IAM
}

// AWS are the credentials of an identity of Amazon Web Services.
type AWS struct {
	AccessKey    Secret
	SecretKey    Secret
	SessionToken Secret // of temporary credentials; default none
}

// Catalog is one Iceberg REST catalog.
type Catalog struct {
	URI       string // base, without /v1
	Warehouse string // sent as ?warehouse= to /v1/config
	Auth      CatalogAuth
}

// CatalogAuth is at most one of a static token (re-read when its file changes)
// or OAuth 2 client credentials.
type CatalogAuth struct {
	Token     Secret
	TokenFile string
	OAuth2    OAuth2
}

// OAuth2 is a client-credentials grant. TokenURL empty means unused.
type OAuth2 struct {
	TokenURL     string
	ClientID     string
	ClientSecret Secret
	Scope        string // default "catalog"
}

// Storage is one S3 store. Endpoint empty means that only file:// is used.
type Storage struct {
	Endpoint  string // http:// or https://
	Region    string // default "us-east-1"
	Bucket    string
	PathStyle bool // default true
	AccessKey Secret
	SecretKey Secret
}

// Spark is one streaming application whose progress is followed.
type Spark struct {
	App        string
	UI         string // base URL of the driver's UI; optional
	Checkpoint string // file:///..., s3://... or s3a://...
}

// Registry is a Confluent-compatible Schema Registry; URL empty means unused.
type Registry struct {
	URL      string
	Username string
	Password Secret
}

// DialTimeout bounds every first contact with a system under test.
const DialTimeout = 5 * time.Second
