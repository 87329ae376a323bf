//go:build unix

package doctest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// Runner runs pages. It isn't safe for concurrent use.
type Runner struct {
	Root string // the repository's
	Bin  string // a directory with the vitessdo command
}

// Run runs a page in an empty directory and gives what is wrong with it.
func (r *Runner) Run(page, dir string) []error {
	blocks, err := parse(page)
	if err != nil {
		return []error{err}
	}
	p := &run{Runner: r, dir: dir, db: "file:./data?shards=4"}
	defer p.close()
	var wrong []error
	for _, b := range blocks {
		if b.db != "" {
			p.db = b.db
		}
		if b.skip != "" {
			continue
		}
		if err := p.block(b); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: %w", b.line, err))
		}
	}
	return wrong
}

// run is a page being run.
type run struct {
	*Runner
	dir, db string

	shell *exec.Cmd // nil until it is needed
	in    io.WriteCloser
	out   *bufio.Reader
}

func (p *run) block(b *block) error {
	if b.file != "" {
		if err := os.WriteFile(filepath.Join(p.dir, b.file), []byte(b.text), 0o644); err != nil {
			return err
		}
		if b.lang != "json" && b.lang != "go" {
			return nil
		}
	}
	switch b.lang {
	case "sh":
		return p.commands(b)
	case "sql":
		file := fmt.Sprintf("block%d.sql", b.line)
		if err := os.WriteFile(filepath.Join(p.dir, file), []byte(b.text), 0o644); err != nil {
			return err
		}
		return p.command(command{fmt.Sprintf("vitessdo shell '%s' < %s", p.db, file), shown(b)}, b.fails)
	case "go":
		return p.goBlock(b)
	case "json":
		var v any
		return json.Unmarshal([]byte(b.text), &v)
	}
	return fmt.Errorf("a block of %q isn't run by anything: say why not, by <!-- doctest: skip REASON -->, or what file it is", b.lang)
}

// shown is what a block prints, as far as the page says.
func shown(b *block) []string {
	if b.output == nil {
		return nil
	}
	return strings.Split(b.output.text, "\n")
}

func (p *run) commands(b *block) error {
	list := session(b.text)
	if last := len(list) - 1; b.output != nil {
		list[last].output = shown(b)
	}
	for i, c := range list {
		if err := p.command(c, b.fails && i == len(list)-1); err != nil {
			return err
		}
	}
	return nil
}

// command gives the shell a command and compares what it prints.
func (p *run) command(c command, fails bool) error {
	if err := p.start(); err != nil {
		return err
	}
	const end = "-- the end of what this prints --"
	if _, err := fmt.Fprintf(p.in, "%s\nprintf '\\n%s%%d\\n' $?\n", c.text, end); err != nil {
		return err
	}
	var got []string
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%s: the shell has ended: %w\n%s", c.text, err, strings.Join(got, "\n"))
		}
		line = strings.TrimSuffix(line, "\n")
		if code, ok := strings.CutPrefix(line, end); ok {
			if failed := code != "0"; failed != fails {
				return fmt.Errorf("%s: exit code %s\n%s", c.text, code, strings.Join(got, "\n"))
			}
			break
		}
		got = append(got, line)
	}
	if len(clean(c.output)) > 0 && !matches(c.output, got) {
		return fmt.Errorf("%s: prints\n%s\nand the page shows\n%s", c.text, strings.Join(clean(got), "\n"), strings.Join(clean(c.output), "\n"))
	}
	return nil
}

// start starts the page's shell.
func (p *run) start() error {
	if p.shell != nil {
		return nil
	}
	cmd := exec.Command("bash", "--norc")
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "PATH="+p.Bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+p.dir, "NO_COLOR=1", "PS1=")
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOENV"} { // they are below the HOME of whoever runs this
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, name+"="+strings.TrimSpace(string(value)))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // servers in the background end with it
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	p.shell, p.in, p.out = cmd, in, bufio.NewReader(out)
	return nil
}

// close ends the shell and what it has started.
func (p *run) close() {
	if p.shell == nil {
		return
	}
	_ = p.in.Close()
	_ = syscall.Kill(-p.shell.Process.Pid, syscall.SIGKILL)
	_ = p.shell.Wait()
}

// goBlock runs a program, or compiles a part of one.
func (p *run) goBlock(b *block) error {
	module := filepath.Join(p.Root, b.module)
	program := strings.HasPrefix(strings.TrimSpace(b.text), "package ")
	text := b.text
	if !program {
		text = wrap(b.text)
	}
	if program && b.file != "" {
		if err := p.module(); err != nil {
			return err
		}
		return p.command(command{"go run " + b.file, shown(b)}, b.fails)
	}
	file := filepath.Join(p.dir, fmt.Sprintf("block%d.go", b.line))
	overlay := filepath.Join(p.dir, fmt.Sprintf("overlay%d.json", b.line))
	names, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(module, "zz_doctest", "main.go"): file}})
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o644), os.WriteFile(overlay, names, 0o644)); err != nil {
		return err
	}
	// Not in the page's shell: its HOME is empty, and with it Go's caches were.
	made := os.DevNull
	if program {
		made = file + ".exe"
	}
	cmd := exec.Command("go", "build", "-overlay", overlay, "-gcflags=-e", "-o", made, "./zz_doctest")
	cmd.Dir = module
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil && program:
		return p.command(command{made, shown(b)}, b.fails)
	case err == nil:
		return nil
	}
	wrong := complaints(string(out), program)
	if wrong == "" {
		return nil
	}
	return fmt.Errorf("doesn't compile:\n%s", wrong)
}

// complaints is what a build that failed says against a page: an excerpt may leave variables
// unused, and what is fetched for the first time is told beside.
func complaints(out string, program bool) string {
	var wrong []string
	for line := range strings.Lines(out) {
		switch {
		case strings.HasPrefix(line, "go: downloading "):
		case !program && (strings.HasPrefix(line, "#") || strings.Contains(line, "declared and not used")):
		default:
			wrong = append(wrong, line)
		}
	}
	return strings.Join(wrong, "")
}

// module makes the page's directory a Go module that uses this repository's as it is.
func (p *run) module() error {
	mod, err := os.ReadFile(filepath.Join(p.Root, "go.mod"))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(p.Root, "go.sum"))
	if err != nil {
		return err
	}
	const name = "github.com/vitessdo/vitessdo"
	text := strings.Replace(string(mod), "module "+name, "module example.org/page", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", name, name, p.Root)
	return errors.Join(
		os.WriteFile(filepath.Join(p.dir, "go.mod"), []byte(text), 0o644),
		os.WriteFile(filepath.Join(p.dir, "go.sum"), sum, 0o644))
}

// imports are the packages that parts of programs may name.
var imports = map[string]string{
	"sql": "database/sql", "context": "context", "errors": "errors", "fmt": "fmt", "log": "log", "slog": "log/slog",
	"os": "os", "http": "net/http", "time": "time", "strings": "strings", "testing": "testing",
	"vitessdo":     "github.com/vitessdo/vitessdo",
	"vitessdotest": "github.com/vitessdo/vitessdo/vitessdotest",
	"vitessdootel": "github.com/vitessdo/vitessdo/otel",
	"gate":         "github.com/vitessdo/vitessdo/gate",
	"tabletserver": "github.com/vitessdo/vitessdo/tabletserver",
	"sqldb":        "github.com/vitessdo/vitessdo/tabletserver/sqldb",
	"libsql":       "github.com/vitessdo/vitessdo/interop/libsql",
	"postgres":     "github.com/vitessdo/vitessdo/interop/postgres",
	"vitessdogorm": "github.com/vitessdo/vitessdo/gorm",
	"gorm":         "gorm.io/gorm", "mysql": "gorm.io/driver/mysql", "clause": "gorm.io/gorm/clause",
}

var (
	selector   = regexp.MustCompile(`\b([a-z]\w*)\.[A-Z]`)
	ownImports = regexp.MustCompile(`(?m)^import (\([^)]*\)|.*)$`)
)

// wrap makes a whole file of declarations or statements.
func wrap(text string) string {
	var b strings.Builder
	b.WriteString("package main\n\n")
	own := ownImports.FindAllString(text, -1)
	for _, line := range own {
		b.WriteString(line + "\n")
	}
	body := ownImports.ReplaceAllString(text, "")
	used := map[string]bool{"sql": true, "context": true, "testing": true, "vitessdo": true}
	for _, m := range selector.FindAllStringSubmatch(body, -1) {
		used[m[1]] = true
	}
	for name, path := range imports {
		if used[name] && !slices.Contains(own, `import "`+path+`"`) {
			fmt.Fprintf(&b, "import %q\n", path)
		}
	}
	b.WriteString("\nvar (\n\tctx context.Context\n\tdb *sql.DB\n\ttx *sql.Tx\n\terr error\n\tcfg *vitessdo.Config\n\tt *testing.T\n)\n\n")
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package main\n"+body, 0); err == nil {
		return b.String() + body + "\nfunc main() {}\n"
	}
	return b.String() + "func main() {\n" + body + "}\n"
}
