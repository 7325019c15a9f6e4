package cli

import (
	"cmp"
	"maps"
	"slices"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/kafka"
	"github.com/lakeproof/lakeproof/exporters/kafka/probe"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

// kafkaFlags say where Kafka is and what of it is wanted. Those without
// "kafka." of ours are kafka_exporter's, with its names and meanings.
type kafkaFlags struct {
	Servers      []string          `name:"kafka.server" placeholder:"HOST:PORT" help:"A broker; repeatable (default: those of lakeproof.yaml)."`
	KafkaLabels  map[string]string `name:"kafka.labels" mapsep:"," placeholder:"NAME=VALUE" help:"Labels that every Kafka series carries."`
	TopicFilter  string            `name:"topic.filter" default:".*" placeholder:"REGEXP" help:"Topics to show (default: ${default})."`
	TopicExclude string            `name:"topic.exclude" default:"^$" placeholder:"REGEXP" help:"Topics not to show (default: ${default})."`
	GroupFilter  string            `name:"group.filter" default:".*" placeholder:"REGEXP" help:"Groups to show (default: ${default})."`
	GroupExclude string            `name:"group.exclude" default:"^$" placeholder:"REGEXP" help:"Groups not to show (default: ${default})."`
	Compat       []string          `name:"compat" enum:"kminion,kafka-lag-exporter" placeholder:"TOOL" help:"Also the names of kminion or kafka-lag-exporter; repeatable."`
	AllParts     bool              `name:"kafka.all-partitions" help:"New families for every partition (default: only where something is wrong)."`
	Checkpoints  map[string]string `name:"kafka.checkpoint" mapsep:"none" placeholder:"GROUP=URI" help:"A Spark checkpoint to show as a group (default: those of lakeproof.yaml); repeatable."`
	Probe        bool              `name:"kafka.probe" help:"Produce to and consume from every broker, and measure it."`
	ProbeTopic   string            `name:"kafka.probe-topic" default:"lakeproof-probe" placeholder:"NAME" help:"The probe's topic (default: ${default})."`

	saslFlags
	tlsFlags
}

type saslFlags struct {
	SASL          bool   `name:"sasl.enabled" help:"Log in."`
	Mechanism     string `name:"sasl.mechanism" default:"plain" placeholder:"NAME" help:"plain, scram-sha256, scram-sha512, oauthbearer or awsiam (default: ${default})."`
	Username      string `name:"sasl.username" placeholder:"NAME" help:"User."`
	Password      string `name:"sasl.password" placeholder:"TEXT" help:"Password; better in LAKEPROOF_SASL_PASSWORD."`
	PasswordFile  string `name:"sasl.password-file" placeholder:"FILE" help:"File of the password, read again at each login."`
	AWSRegion     string `name:"sasl.aws-region" placeholder:"REGION" help:"Region of awsiam."`
	TokenURL      string `name:"sasl.oauthbearer-token-url" placeholder:"URL" help:"Where oauthbearer gets its token, with user and password as client id and secret."`
	Scopes        string `name:"sasl.oauthbearer-scopes" placeholder:"TEXT" help:"Scopes of that token."`
	ServiceName   string `name:"sasl.service-name" hidden:"" help:"Of Kerberos."`
	KerberosPath  string `name:"sasl.kerberos-config-path" hidden:"" help:"Of Kerberos."`
	Realm         string `name:"sasl.realm" hidden:"" help:"Of Kerberos."`
	KerberosType  string `name:"sasl.kerberos-auth-type" hidden:"" help:"Of Kerberos."`
	KeyTab        string `name:"sasl.keytab-path" hidden:"" help:"Of Kerberos."`
	DisableFXFAST bool   `name:"sasl.disable-PA-FX-FAST" hidden:"" help:"Of Kerberos."`
}

type tlsFlags struct {
	TLS        bool   `name:"tls.enabled" help:"Encrypt."`
	ServerName string `name:"tls.server-name" placeholder:"NAME" help:"Name in the brokers' certificates (default: the host dialled)."`
	CAFile     string `name:"tls.ca-file" placeholder:"FILE" help:"Who signs the brokers' certificates (default: the system's roots)."`
	CertFile   string `name:"tls.cert-file" placeholder:"FILE" help:"Certificate to show the brokers."`
	KeyFile    string `name:"tls.key-file" placeholder:"FILE" help:"Its key."`
	Insecure   bool   `name:"tls.insecure-skip-tls-verify" help:"Do not check the brokers' certificates."`
}

// clusters are the Kafka clusters to watch, by name: the one of the flags, else
// the lab's and those of its section exporters.
func (c *exportCmd) clusters(lab config.Lab, lookup config.Lookup) (map[string]config.Kafka, error) {
	if len(c.Servers) > 0 {
		login, err := c.saslFlags.config(lookup)
		return map[string]config.Kafka{lab.Name: {Brokers: c.Servers, TLS: c.tlsFlags.config(), SASL: login}}, err
	}
	out := map[string]config.Kafka{}
	if len(lab.Kafka.Brokers) > 0 {
		out[lab.Name] = lab.Kafka
	}
	maps.Copy(out, lab.Clusters)
	return out, nil
}

// kafkaCollectors makes the collectors of all clusters. Where there are
// several, each of their series says which by a label.
func (c *exportCmd) kafkaCollectors(a *app, lab config.Lab) ([]exporters.Collector, error) {
	clusters, err := c.clusters(lab, a.Lookup)
	if err != nil {
		return nil, err
	}
	if len(clusters) == 0 {
		return nil, fail.New(fail.Usage, "give --kafka.server, or set kafka.brokers in lakeproof.yaml",
			"choosing the Kafka clusters to watch: none is configured")
	}
	store, err := objectstore.New(lab.Storage)
	if err != nil {
		return nil, err
	}
	var all []exporters.Collector
	for _, name := range slices.Sorted(maps.Keys(clusters)) {
		made, err := c.cluster(a, lab, store, one{name, clusters[name], len(clusters) > 1})
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, made...)
	}
	return all, nil
}

// one is one cluster, of several or alone.
type one struct {
	name  string
	kafka config.Kafka
	named bool // by a label, because there are others
}

func (c *exportCmd) cluster(
	a *app, lab config.Lab, store *objectstore.Store, of one,
) ([]exporters.Collector, error) {
	var labels []exporters.Label
	if of.named {
		labels = append(labels, exporters.Label{Name: "cluster", Value: of.name})
	}
	for _, key := range slices.Sorted(maps.Keys(c.KafkaLabels)) {
		labels = append(labels, exporters.Label{Name: key, Value: c.KafkaLabels[key]})
	}
	opts := kafka.Options{
		Cluster: of.name, Kafka: of.kafka, Labels: labels, Compat: c.Compat, AssignedOnly: !c.ShowAll,
		TopicFilter: c.TopicFilter, TopicExclude: c.TopicExclude, GroupFilter: c.GroupFilter, GroupExclude: c.GroupExclude,
		Interval: c.Interval, Files: store,
	}
	if c.AllParts {
		opts.Details = kafka.DetailsAll
	}
	if of.name == lab.Name {
		opts.Checkpoints = c.checkpoints(lab)
	}
	all, err := kafka.Collectors(opts, a.log)
	if err != nil || !c.Probe {
		return all, err
	}
	prober, err := probe.Collector(probe.Options{
		Cluster: of.name, Kafka: of.kafka, Labels: labels, Compat: c.Compat, Topic: c.ProbeTopic, Interval: c.Interval,
	}, a.log)
	if err != nil {
		closeAll(all)
		return nil, err
	}
	return append(all, prober), nil
}

// checkpoints are those to show as groups: the flags', else the lab's.
func (c *exportCmd) checkpoints(lab config.Lab) []kafka.Checkpoint {
	from := c.Checkpoints
	if len(from) == 0 {
		from = map[string]string{}
		for _, s := range lab.Spark {
			if s.Checkpoint != "" {
				from[s.App] = s.Checkpoint
			}
		}
	}
	var out []kafka.Checkpoint
	for _, name := range slices.Sorted(maps.Keys(from)) {
		out = append(out, kafka.Checkpoint{Name: name, URI: from[name]})
	}
	return out
}

func (f tlsFlags) config() config.TLS {
	return config.TLS{
		Enabled: f.TLS, CAFile: f.CAFile, CertFile: f.CertFile, KeyFile: f.KeyFile,
		ServerName: f.ServerName, InsecureSkipVerify: f.Insecure,
	}
}

func (f saslFlags) config(lookup config.Lookup) (config.SASL, error) {
	if !f.SASL {
		return config.SASL{}, nil
	}
	out := config.SASL{
		Mechanism: mechanisms()[f.Mechanism], Username: f.Username,
		Password: config.NewSecret(f.Password), PasswordFile: f.PasswordFile,
	}
	switch {
	case out.Mechanism == "":
		return out, fail.New(fail.Usage, "use plain, scram-sha256, scram-sha512, oauthbearer or awsiam",
			"reading --sasl.mechanism %q: unknown", f.Mechanism)
	case out.Mechanism == config.MechanismOAuth && f.TokenURL == "" && f.PasswordFile == "":
		return out, fail.New(fail.Usage, "give --sasl.oauthbearer-token-url, or a token in --sasl.password-file",
			"reading --sasl.mechanism oauthbearer: there is no token")
	case out.Mechanism == config.MechanismOAuth && f.TokenURL == "":
		out.TokenFile, out.PasswordFile = f.PasswordFile, ""
	case out.Mechanism == config.MechanismOAuth:
		out.OAuth2 = config.OAuth2{
			TokenURL: f.TokenURL, ClientID: f.Username, ClientSecret: config.NewSecret(f.Password), Scope: f.Scopes,
		}
	case out.Mechanism == config.MechanismAWS:
		return f.aws(out, lookup)
	}
	return out, nil
}

// aws takes the identity from the environment, as Amazon's own tools do.
func (f saslFlags) aws(out config.SASL, lookup config.Lookup) (config.SASL, error) {
	for name, to := range map[string]*config.Secret{
		"AWS_ACCESS_KEY_ID": &out.AWS.AccessKey, "AWS_SECRET_ACCESS_KEY": &out.AWS.SecretKey,
		"AWS_SESSION_TOKEN": &out.AWS.SessionToken,
	} {
		if text, ok := lookup(name); ok {
			*to = config.NewSecret(text)
		}
	}
	if out.AWS.AccessKey.IsZero() || out.AWS.SecretKey.IsZero() {
		return out, fail.New(fail.Usage, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
			"reading --sasl.mechanism awsiam: there are no credentials in the environment")
	}
	return out, nil
}

// mechanisms are kafka_exporter's names of the mechanisms, and Kafka's own.
func mechanisms() map[string]string {
	return map[string]string{
		"plain": "PLAIN", "scram-sha256": "SCRAM-SHA-256", "scram-sha512": "SCRAM-SHA-512",
		"oauthbearer": "OAUTHBEARER", "awsiam": "AWS_MSK_IAM", "gssapi": "GSSAPI",
	}
}

// acls are the ACLs that a principal needs, as commands of Kafka's own tool.
func (c *exportCmd) acls() string {
	principal := c.Principal
	if principal == "" {
		principal = "User:" + cmp.Or(c.Username, "lakeproof")
	}
	return kafka.PrintACLs(principal)
}
