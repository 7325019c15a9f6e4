package arch

import (
	"path"
	"strings"
)

const module = "github.com/lakeproof/lakeproof"

// limit is the longest file, in lines.
const limit = 600

// confined is an import that only some packages may have.
type confined struct {
	what    string // import path, or its beginning followed by /...
	where   []string
	instead string
}

// confinements say where the clients of other systems and other wide
// interfaces may be used. Tests are free to import what they like of these.
func confinements() []confined {
	return []confined{
		{
			"github.com/twmb/franz-go/...",
			[]string{"internal/lakehouse/kafka", "exporters/kafka/...", "loadtest/sink", "loadtest/hop", "internal/lab/..."},
			"ask internal/lakehouse/kafka, or declare the interface that you need",
		},
		{"github.com/alecthomas/kong", []string{"internal/cli"}, "flags are read in internal/cli and handed down as values"},
		{"k8s.io/client-go/...", []string{"internal/lakehouse/kube"}, "ask internal/lakehouse/kube"},
		{"github.com/grafana/grafana-foundation-sdk/...", []string{"dashboards/..."}, "build panels in dashboards"},
		{"github.com/versity/versitygw/...", []string{"internal/lab"}, "the embedded lab's servers live in internal/lab"},
		{"github.com/twmb/franz-go/pkg/kfake", []string{"internal/lab"}, "the embedded lab's servers live in internal/lab"},
		{"log", nil, "take a *slog.Logger"},
		{"math/rand", nil, "use generators.Seed, or math/rand/v2 where it need not be repeatable"},
		{"os/signal", []string{"internal/env"}, "use env.Env.Signals"},
		{module + "/cmd/...", nil, "commands live in internal/cli"},
		{module + "/internal/cli", []string{"cmd/..."}, "move what you need into the package that it belongs to"},
		{module + "/internal/lab/...", []string{"internal/cli", "internal/lab/..."}, "take a config.Lab: the same code serves every lab"},
	}
}

// capabilities do not import each other; loadtest may import generators.
func capabilities() []string {
	return []string{"exporters", "generators", "loadtest", "dashboards", "checks"}
}

// mayImport says why a package of ours may not import a path, or "".
func mayImport(pkg, imported string) string {
	for _, c := range confinements() {
		if !matches(c.what, imported) {
			continue
		}
		allowed := false
		for _, w := range c.where {
			allowed = allowed || matches(w, pkg)
		}
		if !allowed {
			return c.instead
		}
	}
	ours, isOurs := strings.CutPrefix(imported, module+"/")
	if !isOurs {
		if pkg == "metrics" && strings.Contains(strings.Split(imported, "/")[0], ".") {
			return "the catalogue is pure data: only the standard library"
		}
		return ""
	}
	from, to := capability(pkg), capability(ours)
	switch {
	case pkg == "metrics":
		return "the catalogue imports nothing of ours"
	case to == "" || from == to || from == "loadtest" && to == "generators" || free(pkg):
		return ""
	default:
		return "move what both need below internal, or hand it over in internal/cli"
	}
}

// free are the packages that join capabilities, and those that only pin their
// data into files.
func free(pkg string) bool {
	return pkg == "internal/cli" || strings.HasPrefix(pkg, "internal/lab") || strings.HasPrefix(pkg, "deploy/")
}

func capability(pkg string) string {
	top, _, _ := strings.Cut(pkg, "/")
	for _, c := range capabilities() {
		if top == c {
			return c
		}
	}
	return ""
}

// matches reports whether a path is the pattern, or below it where the pattern
// ends in /... .
func matches(pattern, name string) bool {
	if base, all := strings.CutSuffix(pattern, "/..."); all {
		return name == base || strings.HasPrefix(name, base+"/")
	}
	return path.Clean(pattern) == name
}

// globals are the selectors that only internal/env and cmd may use.
func globals() map[string]string {
	return map[string]string{
		"os.Args": "env.Env.Args", "os.Getenv": "env.Env.Getenv", "os.LookupEnv": "env.Env.Lookup", "os.Environ": "env.Env.Lookup",
		"os.Setenv": "a value of your own", "os.Stdin": "env.Env.Stdin", "os.Stdout": "env.Env.Stdout", "os.Stderr": "env.Env.Stderr",
		"os.Exit": "an error with a code of internal/fail", "os.Executable": "env.Env.Self", "log.Fatal": "an error",
		"fmt.Print": "fmt.Fprint to a writer that you were given", "fmt.Println": "fmt.Fprintln to a writer that you were given",
		"fmt.Printf": "fmt.Fprintf to a writer that you were given", "slog.SetDefault": "a *slog.Logger that you hand down",
		"slog.Info": "a *slog.Logger that you were given", "slog.Warn": "a *slog.Logger that you were given",
		"slog.Error": "a *slog.Logger that you were given", "slog.Debug": "a *slog.Logger that you were given",
		"prometheus.MustRegister": "telemetry.NewRegistry",
	}
}
