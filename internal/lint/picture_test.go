package lint

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the picture of the packages anew")

// The page on the architecture has a picture of the packages as they are: from those
// that everything stands upon, at the bottom, up to the commands.
func TestPicture(t *testing.T) {
	const begin, end = "<!-- layers -->\n", "<!-- end of layers -->"
	path := filepath.Join(root, "docs", "architecture.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the picture: %s and %s", path, begin, end)
	}
	want := head + begin + "```text\n" + picture(imports(t)) + "```\n" + end + tail
	if want == string(data) {
		return
	}
	if !*update {
		t.Fatalf("%s shows other packages than there are: go test ./internal/lint -run TestPicture -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// imports says for every package that isn't internal which others of these it imports.
func imports(t *testing.T) map[string][]string {
	all := map[string]map[string]bool{}
	for _, f := range goFiles(t) {
		if f.nested || f.test || strings.HasPrefix(f.pkg, "internal/") {
			continue
		}
		if all[f.pkg] == nil {
			all[f.pkg] = map[string]bool{}
		}
		for _, imp := range f.imports {
			if inner, ours := below(imp); ours && !strings.HasPrefix(inner, "internal/") {
				all[f.pkg][inner] = true
			}
		}
	}
	list := map[string][]string{}
	for pkg, on := range all {
		list[pkg] = slices.Sorted(maps.Keys(on))
	}
	return list
}

// picture has a line for each package, above all that it imports. Of these only those
// are shown that it doesn't reach by another one.
func picture(imports map[string][]string) string {
	height := map[string]int{}
	var measure func(pkg string) int
	measure = func(pkg string) int {
		if h, known := height[pkg]; known {
			return h
		}
		h := 0
		for _, on := range imports[pkg] {
			h = max(h, measure(on)+1)
		}
		height[pkg] = h
		return h
	}
	var reaches func(from, to string) bool
	reaches = func(from, to string) bool {
		return slices.ContainsFunc(imports[from], func(on string) bool { return on == to || reaches(on, to) })
	}
	pkgs := slices.SortedFunc(maps.Keys(imports), func(a, b string) int {
		return cmp.Or(measure(b)-measure(a), strings.Compare(a, b))
	})
	name := func(pkg string) string {
		if pkg == "." {
			return "vitessdo"
		}
		return pkg
	}
	var b strings.Builder
	for _, pkg := range pkgs {
		var on []string
		for _, x := range imports[pkg] {
			if !slices.ContainsFunc(imports[pkg], func(other string) bool { return other != x && reaches(other, x) }) {
				on = append(on, name(x))
			}
		}
		line := fmt.Sprintf("%2d  %-22s", height[pkg], name(pkg))
		if len(on) > 0 {
			line += " → " + strings.Join(on, ", ")
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
