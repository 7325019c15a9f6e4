package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	recipes "github.com/lakeproof/lakeproof/deploy/local"
)

// What is built from source, by module and version.
const (
	minioModule     = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
	versitygwModule = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
)

// task is one thing to do beside others.
type task func(context.Context) error

// parallel runs the tasks side by side; the first error ends the others.
func parallel(ctx context.Context, tasks ...task) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range tasks {
		g.Go(func() error { return t(ctx) })
	}
	return g.Wait()
}

// Install brings the programs of the wanted components into the installation
// folder. What is there already, by a stamp with the hash of its recipe, is
// left alone: a second call does nothing. The tools that are missing on the
// machine are an error with fail.Usage that says what to install.
//
// The Maven steps run one after another, because its local repository is not
// made for several at once; Python and Go run beside them.
func (s *Stack) Install(ctx context.Context) error {
	unlock, err := lock(ctx, s.tool("install.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	java := []part{}
	lanes := []task{}
	if s.wants(Kafka) {
		java = append(java, s.kafkaPart())
	}
	if s.wants(Catalog) {
		java = append(java, s.catalogPart())
	}
	if s.wants(Registry) {
		java = append(java, s.registryPart())
	}
	if s.wants(Spark) {
		java = append(java, s.sparkPart())
		lanes = append(lanes, func(ctx context.Context) error { return s.installParts(ctx, s.pysparkPart()) })
	}
	if s.wants(Store) {
		lanes = append(lanes, func(ctx context.Context) error { return s.installParts(ctx, s.storePart()) })
	}
	lanes = append(lanes, func(ctx context.Context) error { return s.installParts(ctx, java...) })
	return parallel(ctx, lanes...)
}

// installSpark installs what a driver needs, for a stack whose components leave
// Spark out and that starts one all the same.
func (s *Stack) installSpark(ctx context.Context) error {
	unlock, err := lock(ctx, s.tool("install.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	return s.installParts(ctx, s.sparkPart(), s.pysparkPart())
}

// part is one thing that is installed on its own.
type part struct {
	name      string   // its stamp
	component string   // for events
	step      string   // for events
	tools     []tool   // what must be on the machine
	recipe    []string // what the stamp hashes
	into      string   // what is removed before a new installation; relative to the folder
	install   func(ctx context.Context, folder string) error
}

// installParts installs the parts one after another.
func (s *Stack) installParts(ctx context.Context, parts ...part) error {
	for _, p := range parts {
		hash := sha256.Sum256([]byte(strings.Join(p.recipe, "\x00")))
		want := hex.EncodeToString(hash[:])
		stamp := s.tool("stamps", p.name)
		if have, err := os.ReadFile(stamp); err == nil && strings.TrimSpace(string(have)) == want {
			continue
		}
		for _, t := range p.tools {
			if err := t.check(ctx); err != nil {
				return err
			}
		}
		err := s.step(p.component, p.step, func() error {
			folder := s.tool(p.into)
			if err := os.RemoveAll(folder); err != nil {
				return fmt.Errorf("removing the old %s: %w", folder, err)
			}
			if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
				return fmt.Errorf("making the folder of %s: %w", folder, err)
			}
			return p.install(ctx, folder)
		})
		if err != nil {
			return fmt.Errorf("installing %s: %w", p.name, err)
		}
		if err := writeFile(stamp, []byte(want+"\n")); err != nil {
			return err
		}
	}
	return nil
}

// maven copies the jars of a pom into folder/lib.
func (s *Stack) maven(ctx context.Context, name, folder string) error {
	pom := filepath.Join(folder, "pom.xml")
	if err := writeFile(pom, recipes.Read(name+"/pom.xml")); err != nil {
		return err
	}
	return s.mavenRun(ctx, name, folder, "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(folder, "lib"))
}

// mavenRun runs a goal on the pom of a folder.
func (s *Stack) mavenRun(ctx context.Context, name, folder string, goal ...string) error {
	argv := append([]string{"mvn", "-q", "-B", "-Dstyle.color=never", "-f", filepath.Join(folder, "pom.xml")}, goal...)
	return s.run(ctx, name, folder, nil, argv...)
}

func (s *Stack) kafkaPart() part {
	return part{
		name: "kafka-jars", component: Kafka, step: "install Apache Kafka 4.3.1",
		tools:  append(javaTools(), mavenTool()),
		recipe: []string{string(recipes.Read("kafka/pom.xml"))},
		into:   "kafka/jars",
		install: func(ctx context.Context, folder string) error {
			return s.maven(ctx, "kafka", folder)
		},
	}
}

func (s *Stack) catalogPart() part {
	source := recipes.Read("catalog/LabCatalog.java")
	return part{
		name: "catalog", component: Catalog, step: "install the Iceberg REST catalog 1.11.0",
		tools:  append(javaTools(), mavenTool()),
		recipe: []string{string(recipes.Read("catalog/pom.xml")), string(source)},
		into:   "catalog/jars",
		install: func(ctx context.Context, folder string) error {
			if err := s.maven(ctx, "catalog", folder); err != nil {
				return err
			}
			main := filepath.Join(folder, "LabCatalog.java")
			if err := writeFile(main, source); err != nil {
				return err
			}
			return s.run(ctx, "catalog", folder, nil, "javac", "--release", "17", "-proc:none",
				"-d", filepath.Join(folder, "classes"), "-cp", filepath.Join(folder, "lib", "*"), main)
		},
	}
}

func (s *Stack) sparkPart() part {
	return part{
		name: "spark-jars", component: Spark, step: "install Spark's jars (Kafka source, Avro, Iceberg 1.11.0)",
		tools:  append(javaTools(), mavenTool()),
		recipe: []string{string(recipes.Read("spark/pom.xml"))},
		into:   "spark/jars",
		install: func(ctx context.Context, folder string) error {
			return s.maven(ctx, "spark", folder)
		},
	}
}

func (s *Stack) pysparkPart() part {
	requirements := recipes.Read("spark/requirements.txt")
	return part{
		name: "pyspark", component: Spark, step: "install pyspark 4.1.3",
		tools:  []tool{pythonTool()},
		recipe: []string{string(requirements)},
		into:   "spark/venv",
		install: func(ctx context.Context, folder string) error {
			if err := s.run(ctx, "pyspark", s.install, nil, "python3", "-m", "venv", folder); err != nil {
				return err
			}
			file := filepath.Join(folder, "requirements.txt")
			if err := writeFile(file, requirements); err != nil {
				return err
			}
			return s.run(ctx, "pyspark", folder, nil, filepath.Join(folder, "bin", "python"), "-m", "pip",
				"install", "--disable-pip-version-check", "--no-input", "-r", file)
		},
	}
}

func (s *Stack) storePart() part {
	module, step := minioModule, "build MinIO from source (minutes the first time)"
	if s.opts.Store == VersityGW {
		module, step = versitygwModule, "build versitygw 1.8.0 from source"
	}
	return part{
		name: s.opts.Store, component: Store, step: step,
		tools:  []tool{goTool()},
		recipe: []string{module},
		into:   "bin/" + s.opts.Store,
		install: func(ctx context.Context, program string) error {
			env := []string{"GOBIN=" + filepath.Dir(program), "CGO_ENABLED=0", "GOWORK=off"}
			return s.run(ctx, s.opts.Store, s.install, env, "go", "install", "-ldflags=-s -w", module)
		},
	}
}
