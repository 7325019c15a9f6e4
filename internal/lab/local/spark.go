package local

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	recipes "github.com/lakeproof/lakeproof/deploy/local"
	job "github.com/lakeproof/lakeproof/deploy/spark"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// SparkOptions say what one streaming driver does. Zero values are the shipped
// job's.
type SparkOptions struct {
	App                  string        // name of application and query; default "bronze"
	Topic                string        // default "payments"; made with 3 partitions and 7 days unless it is there
	Table                string        // default "bronze." + Topic
	DeadLetter           string        // default Table + "_dead_letter"
	Checkpoint           string        // default file://<dir>/checkpoints/<app>; s3://datalake/... works too
	Trigger              time.Duration // default 5 s
	MaxOffsetsPerTrigger int           // records in a batch; default 500,000
	Schema               []byte        // the record's schema, see deploy/spark; default the payments'
	Format               string        // json or avro-registry; default json
	AvroSchema           []byte        // the writer's schema of avro-registry; default the payments'
	SchemaID             uint32        // of that schema in the records' frame
	Fault                string        // a fault of deploy/spark/faulty.py, e.g. "filter:50000"; default none
	Cores                int           // default all of the machine
	Memory               string        // of the driver; default "1g"
	PartitionColumn      string        // of the Kafka partition; default "_partition", which Spark cannot read back
	ProgressURL          string        // where the job sends its progress; default nowhere
	UIPort               int           // default the stack's for the first driver, a free one for others
}

func (o SparkOptions) withDefaults(s *Stack) SparkOptions {
	if o.App == "" {
		o.App = "bronze"
	}
	if o.Topic == "" {
		o.Topic = "payments"
	}
	if o.Table == "" {
		o.Table = "bronze." + o.Topic
	}
	if o.DeadLetter == "" {
		o.DeadLetter = o.Table + "_dead_letter"
	}
	if o.Checkpoint == "" {
		o.Checkpoint = "file://" + s.path("checkpoints", o.App)
	}
	if o.Trigger == 0 {
		o.Trigger = 5 * time.Second
	}
	if o.MaxOffsetsPerTrigger == 0 {
		o.MaxOffsetsPerTrigger = 500_000
	}
	if o.Schema == nil {
		o.Schema = job.PaymentsSchema()
	}
	if o.Format == "" {
		o.Format = "json"
	}
	if o.AvroSchema == nil {
		o.AvroSchema = job.PaymentsAvroSchema()
	}
	if o.PartitionColumn == "" {
		o.PartitionColumn = "_partition"
	}
	if o.Cores == 0 {
		o.Cores = runtime.NumCPU()
	}
	if o.Memory == "" {
		o.Memory = "1g"
	}
	return o
}

// Driver is one Spark driver with its streaming job.
type Driver struct {
	stack *Stack
	opts  SparkOptions
}

// DriverName is the component name of the driver of an application.
func DriverName(app string) string { return Spark + "-" + app }

// Driver returns the driver that Up starts.
func (s *Stack) Driver() *Driver {
	d := &Driver{stack: s, opts: s.opts.Spark.withDefaults(s)}
	if d.opts.UIPort == 0 {
		d.opts.UIPort = s.ports.UI
	}
	return d
}

// StartSpark starts another driver beside the shipped one, which must have
// another app, and waits until its query runs.
func (s *Stack) StartSpark(ctx context.Context, opts SparkOptions) (*Driver, error) {
	d := &Driver{stack: s, opts: opts.withDefaults(s)}
	if d.opts.UIPort == 0 {
		d.opts.UIPort = s.ports.UI
		if _, ok := s.running(d.Name()); !ok && checkPorts(d.Name(), d.opts.UIPort) != nil {
			free, err := freePorts()
			if err != nil {
				return nil, err
			}
			d.opts.UIPort = free.UI
		}
	}
	return d, d.Start(ctx)
}

// Name is the driver's component name.
func (d *Driver) Name() string { return DriverName(d.opts.App) }

// PID is the driver JVM's process id, 0 when it does not run.
func (d *Driver) PID() int {
	r, ok := d.stack.running(d.Name())
	if !ok {
		return 0
	}
	return r.pid
}

// Config is the entry of lakeproof.yaml for this driver.
func (d *Driver) Config() config.Spark {
	return config.Spark{App: d.opts.App, UI: "http://" + local(d.opts.UIPort), Checkpoint: d.opts.Checkpoint}
}

// Log is the path of the driver's log file.
func (d *Driver) Log() string { return d.stack.logPath(d.Name()) }

// Kill ends the JVM with SIGKILL, then the Python process beside it.
func (d *Driver) Kill() error { return d.stack.kill(d.Name()) }

// Stop asks the job to finish the batch under way and to end.
func (d *Driver) Stop(ctx context.Context) error { return d.stack.end(ctx, d.Name()) }

// Start starts the driver unless it runs, and waits until its query runs.
func (d *Driver) Start(ctx context.Context) error {
	s := d.stack
	if d.PID() == 0 {
		if err := s.installSpark(ctx); err != nil {
			return err
		}
		if err := s.EnsureTopic(ctx, d.opts.Topic, 3, 7*24*time.Hour); err != nil {
			return err
		}
	}
	return s.bring(ctx, system{
		name: d.Name(), step: "start " + d.opts.App, limit: 180 * time.Second, prepare: d.command,
		probe: func(context.Context) error {
			if _, err := os.Stat(d.ready()); err != nil {
				return errors.New("the streaming query has not started")
			}
			return nil
		},
	})
}

// ready is the file that the job makes once its query runs.
func (d *Driver) ready() string { return d.stack.path("spark", d.opts.App, "ready") }

// command writes the driver's files and says how to start it.
func (d *Driver) command() (command, error) {
	s, o := d.stack, d.opts
	if err := checkPorts(d.Name(), o.UIPort); err != nil {
		return command{}, err
	}
	home := s.path("spark", o.App)
	if err := s.sparkFiles(home, o); err != nil {
		return command{}, err
	}
	if err := os.Remove(d.ready()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return command{}, fmt.Errorf("removing the old %s: %w", d.ready(), err)
	}
	submit, env, err := s.sparkProgram(home)
	if err != nil {
		return command{}, err
	}
	script, extra := "bronze_payments.py", []string{}
	if o.Fault != "" {
		script, extra = "faulty.py", []string{"--fault", o.Fault}
	}
	argv := []string{
		submit, "--properties-file", filepath.Join(home, "spark.conf"),
		filepath.Join(home, script),
	}
	argv = append(argv, extra...)
	argv = append(argv,
		"--brokers", strings.Join(s.brokers(), ","), "--topic", o.Topic, "--query", o.App,
		"--catalog", "lab", "--table", o.Table, "--dead-letter-table", o.DeadLetter,
		"--checkpoint", o.Checkpoint, "--trigger", strconv.FormatInt(o.Trigger.Milliseconds(), 10)+" milliseconds",
		"--partition-column", o.PartitionColumn, "--max-offsets-per-trigger", strconv.Itoa(o.MaxOffsetsPerTrigger),
		"--schema", filepath.Join(home, "schema.json"), "--ready-file", d.ready(), "--format", o.Format,
		"--avro-schema", filepath.Join(home, "schema.avsc"), "--schema-id", strconv.FormatUint(uint64(o.SchemaID), 10))
	if o.ProgressURL != "" {
		argv = append(argv, "--progress-url", o.ProgressURL)
	}
	return command{name: d.Name(), addr: local(o.UIPort), dir: home, env: env, argv: argv}, nil
}

// sparkFiles writes what a Spark program of the stack reads into home.
func (s *Stack) sparkFiles(home string, o SparkOptions) error {
	conf, err := render("spark/spark.conf.tmpl", map[string]any{
		"App": o.App, "Cores": o.Cores, "Memory": o.Memory, "UI": o.UIPort,
		"Jars": s.tool("spark", "jars", "lib"), "Tmp": s.path("tmp"), "Region": Region,
		"Catalog": "http://" + local(s.ports.Catalog), "Endpoint": "http://" + local(s.ports.Store),
	})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"spark.conf":             conf,
		"conf/log4j2.properties": recipes.Read("spark/log4j2.properties"),
		"bronze_payments.py":     job.Job(),
		"faulty.py":              job.Faulty(),
		"progress_listener.py":   job.Listener(),
		"query.py":               query,
		"schema.json":            o.Schema,
		"schema.avsc":            o.AvroSchema,
	} {
		if err := writeFile(filepath.Join(home, name), content); err != nil {
			return err
		}
	}
	return nil
}

// sparkProgram finds spark-submit and the environment that it needs; home holds
// the folder conf.
func (s *Stack) sparkProgram(home string) (submit string, env []string, err error) {
	pyspark, err := filepath.Glob(s.tool("spark", "venv", "lib", "python3*", "site-packages", "pyspark"))
	if err != nil || len(pyspark) != 1 {
		return "", nil, fail.New(fail.Internal, "delete "+s.tool("stamps")+" and bring the stack up again",
			"looking for pyspark in %s: not installed", s.tool("spark", "venv"))
	}
	python := s.tool("spark", "venv", "bin", "python")
	return filepath.Join(pyspark[0], "bin", "spark-submit"), []string{
		"SPARK_HOME=" + pyspark[0], "SPARK_CONF_DIR=" + filepath.Join(home,
			"conf"), "SPARK_LOCAL_IP=127.0.0.1",
		"PYSPARK_PYTHON=" + python, "PYSPARK_DRIVER_PYTHON=" + python,
		"AWS_ACCESS_KEY_ID=" + s.keys.accessKey.Reveal(), "AWS_SECRET_ACCESS_KEY=" + s.keys.secretKey.Reveal(),
		"AWS_REGION=" + Region,
	}, nil
}

// WipeCheckpoint forgets how far the driver's query came: its next start reads
// the topic from the beginning again. The driver must not run.
func (d *Driver) WipeCheckpoint(ctx context.Context) error {
	if pid := d.PID(); pid != 0 {
		return fail.New(fail.Usage, "stop the driver first", "wiping the checkpoint of %s: it runs (pid %d)", d.opts.App, pid)
	}
	u, err := url.Parse(d.opts.Checkpoint)
	if err != nil {
		return fmt.Errorf("reading the checkpoint's place %s: %w", d.opts.Checkpoint, err)
	}
	if u.Scheme == "file" {
		if err := os.RemoveAll(u.Path); err != nil {
			return fmt.Errorf("wiping the checkpoint %s: %w", u.Path, err)
		}
		return nil
	}
	client, err := d.stack.s3()
	if err != nil {
		return fmt.Errorf("making an S3 client: %w", err)
	}
	prefix := strings.Trim(u.Path, "/") + "/"
	objects := client.ListObjects(ctx, u.Host, minio.ListObjectsOptions{Prefix: prefix, Recursive: true})
	for failed := range client.RemoveObjects(ctx, u.Host, objects, minio.RemoveObjectsOptions{}) {
		err = errors.Join(err, fmt.Errorf("removing %s: %w", failed.ObjectName, failed.Err))
	}
	return err
}
