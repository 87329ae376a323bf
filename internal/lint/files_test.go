package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

const root = "../.."

// longest is how many lines a file that isn't a test may have.
const longest = 700

// file is one Go file of the tree.
type file struct {
	path   string // from the root, with slashes
	pkg    string // its folder
	nested bool   // in a module of its own
	test   bool
	// generated: a tool has written it.
	generated bool
	imports   []string
	doc       string
	text      string
}

// text is one file of the tree that people read.
type text struct{ path, content string }

// tree reads the repository once.
var tree = sync.OnceValues(func() (texts []text, err error) {
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == "node_modules" || rel == "bench/out" || strings.HasSuffix(rel, "testdata/fuzz") {
				return fs.SkipDir
			}
			return nil
		}
		// A linked worktree has a file .git in the folder's place.
		if !d.Type().IsRegular() || d.Name() == ".git" || path.Base(rel) == "vitessdo" || path.Ext(rel) == ".test" || path.Ext(rel) == ".prof" {
			return nil
		}
		b, err := os.ReadFile(p)
		if err == nil && utf8.Valid(b) {
			texts = append(texts, text{rel, string(b)})
		}
		return err
	})
	return texts, err
})

func texts(t *testing.T) []text {
	t.Helper()
	list, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func goFiles(t *testing.T) []file {
	t.Helper()
	var nested []string
	for _, x := range texts(t) {
		if path.Base(x.path) == "go.mod" && x.path != "go.mod" {
			nested = append(nested, path.Dir(x.path)+"/")
		}
	}
	var out []file
	for _, x := range texts(t) {
		if path.Ext(x.path) != ".go" || strings.Contains(x.path, "/testdata/") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), x.path, x.content, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			t.Errorf("%s: %v", x.path, err)
			continue
		}
		f := file{path: x.path, pkg: path.Dir(x.path), test: strings.HasSuffix(x.path, "_test.go"), generated: ast.IsGenerated(parsed), text: x.content, doc: docOf(parsed)}
		for _, n := range nested {
			f.nested = f.nested || strings.HasPrefix(x.path, n)
		}
		for _, imp := range parsed.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Errorf("%s: %v", x.path, err)
			}
			f.imports = append(f.imports, p)
		}
		out = append(out, f)
	}
	return out
}

func docOf(f *ast.File) string {
	if f.Doc == nil {
		return ""
	}
	return f.Doc.Text()
}

func TestFileLength(t *testing.T) {
	for _, f := range goFiles(t) {
		if n := strings.Count(f.text, "\n"); n > longest && !f.test && !f.generated {
			t.Errorf("%s has %d lines: a file longer than %d holds more than one job; split it", f.path, n, longest)
		}
	}
}

func TestPackageDoc(t *testing.T) {
	files := map[string][]file{}
	for _, f := range goFiles(t) {
		if !f.test && !f.generated {
			files[f.pkg] = append(files[f.pkg], f)
		}
	}
	for pkg, list := range files {
		documented := ""
		for _, f := range list {
			if f.doc != "" {
				documented = f.path
			}
		}
		switch {
		case documented == "":
			t.Errorf("package %s has no doc comment: a reader opens doc.go first, to see what flows in and out", pkg)
		case len(list) > 1 && path.Base(documented) != "doc.go":
			t.Errorf("package %s is described in %s: its doc comment belongs in doc.go, where a reader looks first", pkg, documented)
		}
	}
}

// forbidden is what no text of the tree may hold. The patterns are put together
// from parts, so that this file passes its own test.
var forbidden = []struct {
	pattern *regexp.Regexp
	only    string // an extension; "" for every file
	reason  string
}{
	{regexp.MustCompile(`(^|[\s"'(=:])/` + `(work|root|home)/`), "", "paths of one machine mean nothing on another"},
	{regexp.MustCompile(`(?i:(proxy|sum)\.` + `golang\.org|art` + `ifactory)|GO` + `PROXY=`), "", "where modules come from is the reader's own setting"},
	{regexp.MustCompile(`(?i:\b(chat` + `gpt|cla` + `ude|anth` + `ropic|open` + `ai|co` + `pilot|language ` + `model))\b|\bA` + `I\b|\bL` + `LMs?\b`), "",
		"the text is about the program, not about how it came to be"},
	{regexp.MustCompile(`\b(t|b|f|tb)\.Ski` + `p(Now|f)?\(`), ".go", "a test that is skipped proves nothing: make it run, or remove it"},
	{regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`), ".go", "what is missing belongs in the issue tracker or in the docs, not in a note that ages"},
}

func TestForbiddenText(t *testing.T) {
	for _, x := range texts(t) {
		for i, line := range strings.Split(x.content, "\n") {
			for _, rule := range forbidden {
				if rule.only != "" && path.Ext(x.path) != rule.only {
					continue
				}
				if m := rule.pattern.FindString(line); m != "" {
					t.Errorf("%s:%d holds %q: %s", x.path, i+1, strings.TrimSpace(m), rule.reason)
				}
			}
		}
	}
}

// What git keeps it keeps for ever: a program that was built in the tree and added
// by mistake is in every clone from then on.
func TestNothingBuiltIsKept(t *testing.T) {
	const largest = 256 << 10
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		return // the tree of an archive has no list of what is kept
	}
	list, err := exec.Command("git", "-C", root, "ls-files", "-z").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(strings.TrimRight(string(list), "\x00"), "\x00") {
		if s, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err == nil && s.Size() > largest {
			t.Errorf("%s has %d bytes: was it built? git rm --cached it, and name it in .gitignore", name, s.Size())
		}
	}
}

func TestTextFilesEndWithNewline(t *testing.T) {
	for _, x := range texts(t) {
		switch path.Ext(x.path) {
		case ".go", ".md", ".mod", "":
			if x.content != "" && !strings.HasSuffix(x.content, "\n") {
				t.Errorf("%s doesn't end with a line break: tools that join or compare lines need one", x.path)
			}
		}
	}
}
