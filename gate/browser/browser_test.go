package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/gate/console"
)

var screenshots = flag.String("screenshots", "", "a directory that pictures of the pages are written to")

const (
	writer = "0123456789abcdef"
	reader = "fedcba9876543210"
	evil   = `<img src=x onerror=alert(1)><script>alert(2)</script>`
)

// serve serves the console of a small shop.
func serve(t *testing.T, tokens bool) string {
	t.Helper()
	cfg := vitessdo.NewConfig()
	cfg.Dir, cfg.Shards, cfg.StatementStats, cfg.SlowQuery = t.TempDir(), 4, console.Statements, time.Nanosecond
	cfg.Synchronous = "off"
	cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := vitessdo.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	fill(t, db)
	opts := console.Options{Dir: cfg.Dir, Log: cfg.Logger}
	if tokens {
		opts.Admit = func(r *http.Request) (console.Grant, error) {
			switch r.Header.Get("Authorization") {
			case "Bearer " + writer:
				return console.Grant{Name: "ops"}, nil
			case "Bearer " + reader:
				return console.Grant{Name: "reports", ReadOnly: true}, nil
			}
			return console.Grant{}, errors.New("unknown")
		}
	}
	mux := http.NewServeMux()
	mux.Handle(console.Path, console.New(db, opts))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + console.Path
}

func fill(t *testing.T, db *vitessdo.Connector) {
	t.Helper()
	dc, err := db.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer dc.Close()
	c := dc.(*vitessdo.Conn)
	run := func(sql string) {
		t.Helper()
		out, err := c.Run(t.Context(), sql, nil)
		if err == nil && out.Rows != nil {
			err = out.Rows.Close()
		}
		if err != nil {
			t.Fatal(sql, err)
		}
	}
	run("CREATE TABLE customer (id BIGINT PRIMARY KEY, name VARCHAR(80), email VARCHAR(80), UNIQUE KEY by_email (email))")
	run("CREATE TABLE orders (customer_id BIGINT, id BIGINT, total DECIMAL(10,2), placed DATETIME, PRIMARY KEY (customer_id, id)) PARTITION BY KEY(customer_id)")
	run("CREATE TABLE currency (code CHAR(3) PRIMARY KEY, name VARCHAR(20)) COMMENT 'reference'")
	run("INSERT INTO currency VALUES ('EUR', 'Euro'), ('USD', 'US Dollar')")
	for i := range 60 {
		run(fmt.Sprintf("INSERT INTO customer VALUES (%d, 'Customer %d', 'c%d@example.org')", i, i, i))
		run(fmt.Sprintf("INSERT INTO orders VALUES (%d, 1, %d.50, '2026-01-02 03:04:05'), (%d, 2, 7, NULL)", i, 10+i, i))
	}
	run("UPDATE customer SET name = '" + evil + "' WHERE id = 7")
	run("SELECT COUNT(*) FROM orders")
}

// browser is a page of Chromium, and what went wrong in it.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string
}

func open(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil && path == "" {
				path = filepath.Join(dir, name)
			}
		}
	}
	if path == "" {
		t.Fatal("this test needs Chromium: apt-get install chromium")
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(2*time.Minute))...)
	tab, end := chromedp.NewContext(alloc)
	ctx, cancel := context.WithTimeout(tab, 5*time.Minute)
	b := &browser{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, func(ev any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			b.wrong = append(b.wrong, "exception: "+ev.ExceptionDetails.Error())
		case *page.EventJavascriptDialogOpening:
			b.wrong = append(b.wrong, "a dialog opened: "+ev.Message)
			go chromedp.Run(ctx, page.HandleJavaScriptDialog(true))
		case *log.EventEntryAdded:
			// What the server refuses is told of as a failure to load.
			if ev.Entry.Source != log.SourceNetwork {
				b.wrong = append(b.wrong, "console: "+ev.Entry.Text)
			}
		}
	})
	t.Cleanup(func() {
		if t.Failed() {
			b.picture("failed")
		}
		_ = chromedp.Cancel(tab) // which waits for the browser's end
		cancel()
		end()
		stop()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, w := range b.wrong {
			t.Error(w)
		}
	})
	return b
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// is waits until an expression is true.
func (b *browser) is(what string) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, chromedp.Poll(what, nil, chromedp.WithPollingTimeout(90*time.Second))); err != nil {
		var text string
		_ = chromedp.Run(b.ctx, chromedp.Evaluate("document.body.innerText", &text))
		b.t.Fatalf("never true: %s: %v\nthe page reads\n%s", what, err, text)
	}
}

func (b *browser) value(what string) (v string) {
	b.t.Helper()
	b.do(chromedp.Evaluate("String("+what+")", &v))
	return v
}

// picture takes a screenshot, where that is wanted.
func (b *browser) picture(name string) {
	if *screenshots == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(b.ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		b.t.Logf("screenshot %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644); err != nil {
		b.t.Error(err)
	}
}

const visible = `(id => { const e = document.querySelector(id); return !!e && e.offsetParent !== null && e.checkVisibility() })`

func (b *browser) seen(selector string) { b.t.Helper(); b.is(visible + "('" + selector + "')") }

func (b *browser) signIn(url, token string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url))
	b.seen("#login")
	b.do(chromedp.SendKeys("#token", token+kb.Enter, chromedp.ByQuery))
	b.seen("#query")
}

func (b *browser) write(sql string) {
	b.t.Helper()
	b.do(chromedp.SetValue("#sql", sql, chromedp.ByQuery))
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(selector, chromedp.ByQuery))
}

func (b *browser) tab(name string) {
	b.t.Helper()
	b.click("nav [data-section=" + name + "]")
	b.seen("#" + name)
}

func TestSignIn(t *testing.T) {
	url, b := serve(t, true), open(t)
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url))
	b.seen("#login")
	b.picture("login")
	if got := b.value(visible + "('nav')"); got != "false" {
		t.Error("sections are shown without a token")
	}
	b.do(chromedp.SendKeys("#token", "a wrong token", chromedp.ByQuery), chromedp.Click("#login button", chromedp.ByQuery))
	b.seen("#refused")
	b.picture("refused")
	b.do(chromedp.SendKeys("#token", reader+kb.Enter, chromedp.ByQuery))
	b.seen("#query")
	if got := b.value("document.getElementById('write').disabled + document.getElementById('name').textContent"); got != "truereports, read-only" {
		t.Errorf("a token that may only read: %s", got)
	}
	if got := b.value("location.href + document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"); got != url+"{}{}" {
		t.Errorf("the page keeps %s", got)
	}
	b.click("#leave")
	b.seen("#login")
	b.do(chromedp.Reload())
	b.seen("#login")
}

func TestPlanAndQuery(t *testing.T) {
	b := open(t)
	b.signIn(serve(t, true), writer)
	b.write("SELECT c.name, COUNT(*) AS orders, SUM(o.total) AS total\nFROM customer c JOIN orders o ON o.customer_id = c.id\nGROUP BY c.name ORDER BY total DESC LIMIT 5")
	b.click("#draw")
	b.is("document.querySelectorAll('.fragment').length === 1 && document.querySelectorAll('.chips .asked').length === 4")
	b.picture("plan-scatter")
	b.write("SELECT name FROM customer WHERE email = 'c7@example.org'")
	b.click("#draw")
	b.is("document.querySelectorAll('.badge.lookup, .badge.single_shard').length > 0 && document.querySelectorAll('.chips').length > 0")
	b.picture("plan-lookup")
	b.write("SELECT a.name, b.name FROM customer a JOIN orders o ON o.id = a.id JOIN customer b ON b.id = o.total WHERE a.id > (SELECT AVG(total) FROM orders)")
	b.click("#draw")
	b.is("document.querySelectorAll('.fragment').length >= 3")
	b.picture("plan-joins")

	b.write("SELECT * FROM customer WHERE id IN (?, ?, 99) ORDER BY id")
	b.do(chromedp.SetValue("#args", `[7, "8"]`, chromedp.ByQuery))
	b.click("#run")
	b.is("document.querySelectorAll('#rows tbody tr').length === 2")
	if got := b.value("document.querySelector('#rows tbody td:nth-child(2)').textContent"); got != evil {
		t.Errorf("a value that looks like HTML is shown as %q", got)
	}
	if got := b.value("document.querySelectorAll('#rows img, #rows script').length"); got != "0" {
		t.Error("a value was read as HTML")
	}
	b.picture("rows")
	b.do(chromedp.Evaluate("document.getElementById('args').value = ''", nil))

	b.write("SELECT *\nFROM nowhere")
	b.click("#run")
	b.seen("#answer .error")
	if got := b.value("document.getElementById('sql').selectionStart + ' ' + document.activeElement.id"); got != "14 sql" {
		t.Errorf("the cursor is at %s, and the error at 14", got)
	}
	b.picture("error")

	b.write("DELETE FROM orders WHERE customer_id = 3")
	b.click("#run")
	b.is("document.querySelector('#answer .error')?.textContent.includes('may only read')")
	b.click("#write")
	b.is("document.getElementById('run').textContent === 'Run and write'")
	b.click("#run")
	b.is("document.getElementById('answer').textContent.includes('2 rows affected') && !document.getElementById('write').checked")
	b.picture("written")
}

func TestSections(t *testing.T) {
	b := open(t)
	b.signIn(serve(t, true), reader)
	b.tab("shards")
	b.is("document.querySelectorAll('#shardlist tbody tr').length === 4 && document.querySelectorAll('#cache tbody tr').length === 4")
	b.picture("shards")
	b.tab("tables")
	b.is("document.querySelectorAll('#tablelist tbody tr').length === 3")
	b.do(chromedp.Evaluate("for (const x of document.querySelectorAll('#tablelist button')) x.click()", nil))
	b.is("document.querySelectorAll('#tablelist .counts').length === 3")
	for _, want := range []string{"hash(customer_id)", "a copy on every shard"} {
		if got := b.value("document.getElementById('tablelist').textContent"); !strings.Contains(got, want) {
			t.Errorf("%q isn't in %s", want, got)
		}
	}
	b.picture("tables")
	b.tab("statements")
	b.is("document.querySelectorAll('#statementlist tbody tr').length > 3 && document.querySelectorAll('#slowlist tbody tr').length > 3")
	b.picture("statements")
	b.tab("transactions")
	b.is("document.getElementById('doubtlist').textContent.startsWith('None')")
	b.picture("transactions")
}

// Everything can be done without a mouse.
func TestKeyboard(t *testing.T) {
	b := open(t)
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(serve(t, true)))
	b.is("document.activeElement.id === 'token'")
	b.do(chromedp.KeyEvent(writer), chromedp.KeyEvent(kb.Enter))
	b.is("document.activeElement.id === 'sql'")
	b.do(chromedp.KeyEvent("SELECT id FROM customer WHERE id = 7"), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)))
	b.is("document.querySelectorAll('#rows tbody tr').length === 1")
	// tabTo presses Tab until the element has the focus, which must be seen.
	tabTo := func(selector string) {
		t.Helper()
		for range 60 {
			b.do(chromedp.KeyEvent(kb.Tab))
			if b.value("document.activeElement.matches('"+selector+"')") == "true" {
				if got := b.value("getComputedStyle(document.activeElement).outlineStyle"); got == "none" {
					t.Errorf("%s has the focus, and nothing shows it", selector)
				}
				return
			}
		}
		t.Fatalf("Tab never comes to %s", selector)
	}
	tabTo("#draw")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.is("document.querySelectorAll('.fragment').length === 1")
	tabTo("#write")
	b.do(chromedp.KeyEvent(" "))
	b.is("document.getElementById('write').checked")
	for _, name := range []string{"shards", "tables", "statements", "transactions", "query"} {
		tabTo("[data-section=" + name + "]")
		b.do(chromedp.KeyEvent(kb.Enter))
		b.seen("#" + name)
	}
	tabTo("#leave")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.is("document.activeElement.id === 'token'")
}

// On a telephone nothing is cut off: what is wide scrolls by itself.
func TestNarrowAndDark(t *testing.T) {
	b := open(t)
	b.signIn(serve(t, true), writer)
	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	fits := func(name string) {
		t.Helper()
		b.picture("narrow-" + name)
		if got := b.value("document.documentElement.scrollWidth"); got != "360" {
			t.Errorf("%s is %s wide on a screen of 360", name, got)
		}
	}
	if got := b.value("getComputedStyle(document.body).backgroundColor"); got != "rgb(20, 23, 28)" {
		t.Errorf("the dark page's background is %s", got)
	}
	b.write("SELECT c.name, SUM(o.total) FROM customer c JOIN orders o ON o.id = c.id GROUP BY c.name")
	b.click("#draw")
	b.is("document.querySelectorAll('.fragment').length === 2")
	fits("plan")
	b.write("SELECT * FROM customer WHERE id = 7")
	b.click("#run")
	b.is("document.querySelectorAll('#rows tbody tr').length === 1")
	fits("rows")
	for _, name := range []string{"shards", "tables", "statements", "transactions"} {
		b.tab(name)
		b.is("document.querySelector('#" + name + " td, #" + name + " .note') !== null")
		fits(name)
	}
}

// A server that is gone is told of, and a console without tokens asks for none.
func TestServerIsGone(t *testing.T) {
	b := open(t)
	gone := make(chan struct{})
	target := serve(t, false)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-gone:
			panic(http.ErrAbortHandler)
		default:
		}
		out, err := http.NewRequestWithContext(r.Context(), r.Method, strings.TrimSuffix(target, console.Path)+r.URL.Path, r.Body)
		if err != nil {
			panic(err)
		}
		out.Header = r.Header
		in, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer in.Body.Close()
		for k, v := range in.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(in.StatusCode)
		_, _ = io.Copy(w, in.Body)
	}))
	defer proxy.Close()
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(proxy.URL+console.Path))
	b.seen("#query")
	b.write("SELECT 1")
	close(gone)
	b.click("#run")
	b.is("document.querySelector('#answer .error')?.textContent.includes('be reached')")
	b.picture("gone")
}
