package console

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/service"
)

//go:embed static
var static embed.FS

// Grant is what a user may do.
type Grant struct {
	Name     string
	ReadOnly bool
}

// Options say how a console serves.
type Options struct {
	// Admit says who sends a request, or an error. Without it everybody may do
	// everything who reaches the console under a name of this machine's own.
	Admit func(*http.Request) (Grant, error)
	// Ready, when not nil, says that the database can be opened, or why it can't yet.
	Ready func(context.Context) error
	// Dir is the database's directory, whose files' sizes are shown; "" without one.
	Dir string
	// Timeout bounds a statement, MaxRows and MaxBytes what is shown of its result;
	// default 30 s, 1000 rows and 4 MiB.
	Timeout           time.Duration
	MaxRows, MaxBytes int
	// Log gets what users do, without statements and their values; default
	// slog.Default.
	Log *slog.Logger
}

// Statements is how many statements a console's database should keep statistics of,
// in Config.StatementStats: the console shows them.
const Statements = 1000

// Path is where a console is to be mounted.
const Path = "/console/"

// console is the handler of New.
type console struct {
	db   *vitessdo.Connector
	opts Options
	mux  *http.ServeMux
}

// New makes the handler for everything below Path. The connector stays open.
func New(db *vitessdo.Connector, opts Options) http.Handler {
	if opts.Timeout <= 0 {
		opts.Timeout = 30 * time.Second
	}
	if opts.MaxRows <= 0 {
		opts.MaxRows = 1000
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 4 << 20
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	c := &console{db: db, opts: opts, mux: http.NewServeMux()}
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	c.mux.Handle("GET "+Path, http.StripPrefix(Path, http.FileServerFS(files)))
	for pattern, f := range map[string]func(*request) (any, error){
		"GET " + Path + "api/overview":     (*request).overview,
		"GET " + Path + "api/tables":       (*request).tables,
		"GET " + Path + "api/statements":   (*request).statements,
		"GET " + Path + "api/transactions": (*request).transactions,
		"POST " + Path + "api/explain":     (*request).explain,
		"POST " + Path + "api/run":         (*request).run,
		"POST " + Path + "api/count":       (*request).count,
	} {
		c.mux.HandleFunc(pattern, c.api(f))
	}
	return c
}

// policy lets the page load what is its own, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP implements http.Handler.
func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if r.URL.RawQuery != "" {
		http.Error(w, "the console takes nothing in its address", http.StatusBadRequest)
		return
	}
	c.mux.ServeHTTP(w, r)
}

// problem is an error with an HTTP status.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// allowed says whether a request may be from the console's own page.
func (c *console) allowed(r *http.Request) error {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return &problem{http.StatusForbidden, "the request comes from another site's page"}
	}
	if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/json" {
		return &problem{http.StatusUnsupportedMediaType, "the request must be application/json"}
	}
	if c.opts.Admit == nil && !service.Local(r.Host) {
		return &problem{http.StatusForbidden, "without tokens the console answers under localhost and loopback addresses only"}
	}
	return nil
}

// api makes a handler of what answers a request.
func (c *console) api(f func(*request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := c.answer(w, r, f)
		status := http.StatusOK
		if err != nil {
			status, v = describe(err)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(v); err != nil {
			c.opts.Log.Debug("the console's answer wasn't taken", "error", err)
		}
	}
}

func (c *console) answer(w http.ResponseWriter, r *http.Request, f func(*request) (any, error)) (any, error) {
	if err := c.allowed(r); err != nil {
		return nil, err
	}
	var grant Grant
	if c.opts.Admit != nil {
		var err error
		if grant, err = c.opts.Admit(r); err != nil {
			c.opts.Log.Info("console: refused", "from", r.RemoteAddr, "reason", err)
			return nil, &problem{http.StatusUnauthorized, "a valid token is needed"}
		}
	}
	if c.opts.Ready != nil {
		if err := c.opts.Ready(r.Context()); err != nil {
			return nil, &problem{http.StatusServiceUnavailable, err.Error()}
		}
	}
	q := &request{c: c, grant: grant, http: r, began: time.Now()}
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&q.body); err != nil {
			return nil, &problem{http.StatusBadRequest, "the request can't be read: " + err.Error()}
		}
	}
	return q.with(f)
}

// failure is an error as the page gets it.
type failure struct {
	Error  string `json:"error"`
	Code   string `json:"code,omitempty"`
	Number int    `json:"number,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func describe(err error) (int, failure) {
	var p *problem
	if errors.As(err, &p) {
		return p.status, failure{Error: p.text}
	}
	if e, ok := errors.AsType[*vitessdo.Error](err); ok {
		return http.StatusUnprocessableEntity, failure{e.Error(), string(e.Code), int(e.Number), e.Line, e.Column}
	}
	return http.StatusInternalServerError, failure{Error: err.Error()}
}
