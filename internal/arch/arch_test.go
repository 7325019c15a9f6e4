package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// TestHouse checks every Go file of the checkout.
func TestHouse(t *testing.T) {
	files := 0
	packages := map[string]bool{} // whether one of its files has a doc
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if d.IsDir() && skipped(rel) {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		files++
		pkg := filepath.ToSlash(filepath.Dir(rel))
		f, found := inspect(t, name, pkg)
		for _, problem := range found {
			t.Error(problem)
		}
		if !strings.HasSuffix(name, "_test.go") {
			packages[pkg] = packages[pkg] || f.Doc != nil
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg, documented := range packages {
		if !documented {
			t.Errorf("%s: no package comment: say what it is, how a value flows through it, what it does not do", pkg)
		}
	}
	if files < 50 || len(packages) < 10 {
		t.Errorf("%d files of %d packages: the walk missed the house", files, len(packages))
	}
}

// skipped are the folders without code of the house.
func skipped(rel string) bool {
	base := filepath.Base(rel)
	return rel != "." && (strings.HasPrefix(base, ".") || slices.Contains([]string{"testdata", "tools", "bin", "runs"}, base))
}

// TestRules is the negative control: each bad source has exactly the findings
// that its comments "want" name.
func TestRules(t *testing.T) {
	names, err := filepath.Glob("testdata/bad/*.go.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no bad sources: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		pkg := strings.TrimPrefix(first, "// package path: ")
		_, found := inspect(t, name, pkg)
		for i, line := range strings.Split(string(text), "\n") {
			_, want, isWanted := strings.Cut(line, "// want ")
			place := fmt.Sprintf("%s:%d: ", name, i+1)
			at := slices.IndexFunc(found, func(p string) bool { return strings.HasPrefix(p, place) })
			switch {
			case isWanted && at < 0:
				t.Errorf("%sno finding, want %q", place, want)
			case isWanted && !strings.Contains(found[at], want):
				t.Errorf("%q, want %q", found[at], want)
			case !isWanted && at >= 0:
				t.Errorf("not wanted: %s", found[at])
			}
		}
	}
	long := filepath.Join(t.TempDir(), "long.go")
	if err := os.WriteFile(long, []byte("package long\n"+strings.Repeat("//\n", limit)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, found := inspect(t, long, "internal/long"); len(found) != 1 || !strings.Contains(found[0], "601 lines") {
		t.Errorf("a long file: %q", found)
	}
}

// inspector collects the findings of one file.
type inspector struct {
	fset  *token.FileSet
	pkg   string
	test  bool
	found []string
}

func (in *inspector) report(pos token.Pos, format string, args ...any) {
	p := in.fset.Position(pos)
	in.found = append(in.found, fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...)))
}

// inspect parses a file of the package at the given path below the module.
func inspect(t *testing.T, name, pkg string) (*ast.File, []string) {
	t.Helper()
	in := &inspector{fset: token.NewFileSet(), pkg: pkg, test: strings.HasSuffix(name, "_test.go")}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(in.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n > limit {
		in.report(f.FileStart, "%d lines: split the file by what it does", n)
	}
	in.imports(f)
	in.strings(f)
	if !in.test {
		in.declarations(f)
		in.selectors(f)
	}
	return f, in.found
}

func (in *inspector) imports(f *ast.File) {
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // it was parsed, so it is a string
		}
		// Tests may use other systems' clients and servers, and anything of ours
		// that the build allows: a cycle is refused by the compiler.
		if in.test {
			continue
		}
		if why := mayImport(in.pkg, imported); why != "" {
			in.report(spec.Pos(), "%s must not import %s: %s", in.pkg, imported, why)
		}
		if spec.Name != nil && spec.Name.Name == "_" && imported != "embed" && !driver(imported) {
			in.report(spec.Pos(), "blank import of %s: register by a call", imported)
		}
	}
}

// driver are the imports that cannot be had otherwise: database/sql drivers and
// the file systems of iceberg-go register themselves.
func driver(imported string) bool {
	return imported == "modernc.org/sqlite" || strings.HasPrefix(imported, "github.com/apache/iceberg-go/")
}

func (in *inspector) declarations(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				in.report(d.Pos(), "func init: do it where the value is made")
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				in.vars(d)
			}
		}
	}
}

func (in *inspector) vars(d *ast.GenDecl) {
	embedded := d.Doc != nil && strings.Contains(embeds(d.Doc), "//go:embed")
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || embedded || v.Doc != nil && strings.Contains(embeds(v.Doc), "//go:embed") {
			continue
		}
		for i, name := range v.Names {
			if name.Name == "_" || i < len(v.Values) && constant(v.Values[i]) {
				continue
			}
			in.report(name.Pos(), "package variable %s: make it a constant, or a function that returns the value", name.Name)
		}
	}
}

func embeds(g *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range g.List {
		b.WriteString(c.Text + "\n")
	}
	return b.String()
}

// constant reports whether a value is one that nobody changes: an error, a
// regular expression, a table of CRC.
func constant(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && slices.Contains([]string{
		"errors.New", "fmt.Errorf", "fail.New", "regexp.MustCompile", "crc32.MakeTable",
	}, x.Name+"."+sel.Sel.Name)
}

func (in *inspector) selectors(f *ast.File) {
	if in.pkg == "internal/env" || strings.HasPrefix(in.pkg, "cmd/") {
		return
	}
	forbidden := globals()
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		if instead, bad := forbidden[x.Name+"."+sel.Sel.Name]; bad {
			in.report(sel.Pos(), "%s.%s belongs to internal/env: use %s", x.Name, sel.Sel.Name, instead)
		}
		return true
	})
}

func (in *inspector) strings(f *ast.File) {
	if in.pkg == "internal/arch" {
		return
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.Contains(strings.ToLower(lit.Value), "failed to") {
			in.report(lit.Pos(), `"failed to": say what was being done: reading scenario "smoke.yaml": ...`)
		}
		return true
	})
}
