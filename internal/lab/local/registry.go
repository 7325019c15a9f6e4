package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	recipes "github.com/lakeproof/lakeproof/deploy/local"
)

// registryPath is where Apicurio serves the API of Confluent's Schema Registry.
const registryPath = "/apis/ccompat/v7"

// startRegistry starts the Schema Registry, which keeps its schemas in a file of
// the stack's folder.
func (s *Stack) startRegistry(ctx context.Context) error {
	return s.bring(ctx, system{
		name: Registry, step: "start", limit: 60 * time.Second, prepare: s.registryCommand,
		probe: func(ctx context.Context) error { return answers(ctx, s.registryURL()+"/subjects") },
	})
}

func (s *Stack) registryURL() string { return "http://" + local(s.ports.Registry) + registryPath }

func (s *Stack) registryCommand() (command, error) {
	if err := checkPorts(Registry, s.ports.Registry); err != nil {
		return command{}, err
	}
	if err := os.MkdirAll(s.path("registry"), 0o700); err != nil {
		return command{}, fmt.Errorf("making the registry's folder: %w", err)
	}
	return command{
		name: Registry,
		addr: local(s.ports.Registry),
		argv: []string{
			"java", "-Xms64m", "-Xmx256m", "-Djava.io.tmpdir=" + s.path("tmp"),
			"-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
			"-Dquarkus.http.host=127.0.0.1", "-Dquarkus.http.port=" + strconv.Itoa(s.ports.Registry),
			"-Dquarkus.http.access-log.enabled=false",
			"-Dapicurio.datasource.url=jdbc:h2:file:" + s.path("registry", "schemas"),
			"-jar", s.tool("registry", "app", "apicurio-registry-app-3.0.9-runner.jar"),
		},
	}, nil
}

func (s *Stack) registryPart() part {
	pom := recipes.Read("registry/pom.xml")
	return part{
		name: "registry", component: Registry, step: "install Apicurio Registry 3.0.9",
		tools:  append(javaTools(), mavenTool()),
		recipe: []string{string(pom)},
		into:   "registry/app",
		install: func(ctx context.Context, folder string) error {
			file := filepath.Join(folder, "pom.xml")
			if err := writeFile(file, pom); err != nil {
				return err
			}
			return s.mavenRun(ctx, "registry", folder, "dependency:unpack", "-DoutputDirectory="+folder)
		},
	}
}
