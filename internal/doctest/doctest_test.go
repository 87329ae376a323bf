//go:build unix

package doctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPages runs every page of the documentation.
func TestPages(t *testing.T) {
	r := &Runner{Root: root(t), Bin: t.TempDir()}
	build := exec.Command("go", "build", "-o", r.Bin, "./cmd/vitessdo")
	build.Dir = r.Root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pages, err := filepath.Glob(filepath.Join(r.Root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(pages, filepath.Join(r.Root, "README.md")) {
		name := filepath.Base(path)
		if ownTests[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range r.Run(string(text), t.TempDir()) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// ownTests are pages whose blocks other tests run.
var ownTests = map[string]string{
	"protocol.md": "rpc.TestDocumentedWire and gate.TestDocumentedExchanges",
	"sql.md":      "internal/conformance writes it",
}

// What is wrong with a page is told with its line.
func TestWrongPages(t *testing.T) {
	fence := "```"
	for _, x := range []struct{ name, page, wrong string }{
		{"a command that fails", fence + "sh\n$ true\n$ false\n" + fence, "line 1: false: exit code 1"},
		{"one that doesn't", "<!-- doctest: fails -->\n" + fence + "sh\n$ true\n" + fence, "line 2: true: exit code 0"},
		{"another output", "\n" + fence + "sh\n$ echo a; echo b\na\nc\n" + fence, "line 2: echo a; echo b: prints\na\nb\nand the page shows\na\nc"},
		{"more output", fence + "sh\n$ seq 3\n1\n2\n" + fence, "prints\n1\n2\n3"},
		{"output in a block of its own", fence + "sh\necho a\n" + fence + "\n" + fence + "text\nb\n" + fence, "prints\na\nand the page shows\nb"},
		{"no Go", fence + "go\nvar x int = \"a\"\n" + fence, "doesn't compile"},
		{"no JSON", fence + "json\n{,}\n" + fence, "invalid character"},
		{"a language that nothing runs", fence + "perl\n1;\n" + fence, "isn't run by anything"},
		{"a block without end", fence + "sh\ntrue\n", "doesn't end"},
		{"a block without fence", "Prose:\n\n    make it so\n", "line 3: an indented block isn't run"},
		{"a wrong comment", "<!-- doctest: perhaps -->\n", "is none of"},
		{"a comment without reason", "<!-- doctest: skip -->\n", "needs a value"},
		{"a shell that ends", fence + "sh\n$ exit 3\n" + fence, "the shell has ended"},

		{"commands", fence + "sh\n$ x=1\n$ seq $x 4\n1\n…\n4\n$ echo took 12 ms\ntook … ms\n$ cat f 2>&1 || true\n…No such…\n" + fence, ""},
		{"a file", "<!-- doctest: file f.txt -->\n" + fence + "perl\nhello\n" + fence + "\n" + fence + "sh\n$ cat f.txt\nhello\n" + fence, ""},
		{"a command of two lines", fence + "sh\n$ echo a \\\n    b\na b\n" + fence, ""},
		{"a part of a program", fence + "go\nrows, err := db.QueryContext(ctx, \"SELECT 1\")\n" + fence, ""},
		{"a program", fence + "go\npackage main\n\nfunc main() { println(\"hello\") }\n" + fence + "\n" + fence + "text\nhello\n" + fence, ""},
		{"a picture", "Prose\n\n" + fence + "text\na -> b\n" + fence, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			var all []string
			for _, err := range (&Runner{Root: root(t)}).Run(x.page, t.TempDir()) {
				all = append(all, err.Error())
			}
			got := strings.Join(all, "\n")
			if x.wrong == "" && got != "" || !strings.Contains(got, x.wrong) {
				t.Errorf("got %q; want %q", got, x.wrong)
			}
		})
	}
}

// What go build says beside errors isn't one.
func TestComplaints(t *testing.T) {
	const unused, wrong = "zz_doctest/main.go:3:2: declared and not used: x\n", "zz_doctest/main.go:4:2: undefined: y\n"
	for _, x := range []struct {
		program   bool
		out, want string
	}{
		{false, "go: downloading example.org/a v1.2.3\n# page/zz_doctest\n" + unused, ""},
		{false, "# page/zz_doctest\n" + unused + wrong, wrong},
		{false, "go: example.org/a@v1.2.3: not found\n", "go: example.org/a@v1.2.3: not found\n"},
		{true, "go: downloading example.org/a v1.2.3\n" + unused, unused},
	} {
		if got := complaints(x.out, x.program); got != x.want {
			t.Errorf("%q: %q, want %q", x.out, got, x.want)
		}
	}
}
