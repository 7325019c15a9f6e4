package spark

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// unnamed is the label of queries without a name; Spark gives them ids.
const unnamed = "unnamed"

func byName(a, b *query) int { return cmp.Compare(a.name, b.name) }

// stableName is the name of a query as a label: never an id.
func stableName(name string) string {
	if name == "" || uuid.MatchString(name) {
		return unnamed
	}
	return name
}

// checkpointNames gives every checkpoint the name of its query: the one that
// stands before it ("bronze=s3a://..."), else the last part of its location that
// says something. The query's own name is not in a checkpoint, and a label must
// not depend on whether its driver is alive.
func checkpointNames(checkpoints []string) map[string]string {
	locations := make(map[string][]string, len(checkpoints)) // by short name
	out := make(map[string]string, len(checkpoints))
	for _, c := range checkpoints {
		if name, uri, ok := strings.Cut(c, "="); ok && name != "" && !strings.ContainsAny(name, ":/") {
			out[name] = uri
			continue
		}
		short := shortName(c)
		if !slices.Contains(locations[short], c) {
			locations[short] = append(locations[short], c)
		}
	}
	for short, all := range locations {
		_, taken := out[short]
		for _, uri := range all {
			if name := short; len(all) == 1 && !taken {
				out[name] = uri
				continue
			}
			_, path, _ := strings.Cut(uri, "://")
			out[strings.Trim(cmp.Or(path, uri), "/")] = uri
		}
	}
	return out
}

// shortName is the last part of a location that is not just "checkpoint".
func shortName(uri string) string {
	if _, path, ok := strings.Cut(uri, ":"); ok {
		uri = path
	}
	for _, part := range slices.Backward(strings.Split(uri, "/")) {
		switch strings.ToLower(strings.Trim(part, "_.")) {
		case "checkpoint", "checkpoints", "chk", "cp", "":
			continue
		}
		return part
	}
	return unnamed
}
