// Package version says which build of lakeproof this is.
//
// The values come from what the Go toolchain wrote into the program
// (runtime/debug.BuildInfo): the module version of a release, or the commit of
// a checkout.
//
// It compares no versions and looks for no updates.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Info describes the build.
type Info struct {
	Version  string // "v1.2.3", or a pseudo-version, or "devel"
	Revision string // commit; "" when unknown
	Time     string // of the commit, RFC 3339; "" when unknown
	Modified bool   // the checkout had changes that are in no commit
	Go       string // version of the toolchain
	Platform string // os/arch
}

// Get reads the build's description.
func Get() Info {
	info := Info{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	if v := build.Main.Version; v != "" && v != "(devel)" {
		info.Version = v
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Revision = s.Value
		case "vcs.time":
			info.Time = s.Value
		case "vcs.modified":
			info.Modified = s.Value == "true"
		}
	}
	return info
}

// String is the text that `lakeproof version` prints.
func (i Info) String() string {
	text := fmt.Sprintf("lakeproof %s\n  go:       %s\n  platform: %s\n", i.Version, i.Go, i.Platform)
	if i.Revision != "" {
		text += fmt.Sprintf("  revision: %s (%s)\n", i.Revision, i.Time)
	}
	if i.Modified {
		text += "  modified: true\n"
	}
	return text
}
