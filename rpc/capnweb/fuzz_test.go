package capnweb

import (
	"bytes"
	"math"
	"strings"
	"sync/atomic"
	"testing"
)

var seeds = []string{
	`null`, `1`, `-0`, `1e400`, `"a\ud834\udd1e\ud800"`, `[[1,[[2]]]]`, `{"a":["undefined"]}`, `["bigint","-9223372036854775808"]`, `["date",1.5]`,
	`["bytes","AQI=","Uint16Array"]`, `["error","E","m",null,{"a":[["x"]]}]`, `["url","http://a/"]`, `["headers",[["a","b"]]]`,
	`["request","http://a/",{"method":"PUT","headers":[],"body":"x"}]`, `["response",null,{"status":204}]`, `[["inf"],["-inf"],["nan"]]`,
}

// FuzzUnmarshal: what can be decoded encodes to something that decodes to the
// same.
func FuzzUnmarshal(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Unmarshal(data)
		if err != nil {
			return
		}
		again, err := Marshal(v)
		if err != nil {
			t.Fatalf("%q decodes to %#v, which can't be encoded: %v", data, v, err)
		}
		w, err := Unmarshal(again)
		if err != nil {
			t.Fatalf("%q encodes to %q, which can't be decoded: %v", data, again, err)
		}
		third, err := Marshal(w)
		if err != nil || !bytes.Equal(again, third) {
			t.Fatalf("%q became %q, then %q, %v", data, again, third, err)
		}
	})
}

// FuzzFloat: floats keep their bits, but for the kinds of NaN.
func FuzzFloat(f *testing.F) {
	for _, x := range []float64{0, math.Copysign(0, -1), 1, 1e15, 1e21, math.MaxFloat64, math.Inf(1), math.NaN(), 5e-324} {
		f.Add(math.Float64bits(x))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		x := math.Float64frombits(bits)
		b, err := Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		v, err := Unmarshal(b)
		y, ok := v.(float64)
		if err != nil || !ok || math.Float64bits(x) != math.Float64bits(y) && !(math.IsNaN(x) && math.IsNaN(y)) {
			t.Fatalf("%v became %s, then %#v, %v", x, b, v, err)
		}
	})
}

// FuzzSession feeds a whole session with messages of any kind. Whatever they
// say, it must end with nothing left of it.
func FuzzSession(f *testing.F) {
	f.Add([]byte(strings.Join([]string{
		`["push",["pipeline",0,["counter"],[]]]`, `["push",["pipeline",1,["add"],[3]]]`, `["pull",2]`, `["release",1,1]`, `["release",2,1]`,
	}, "\n")))
	f.Add([]byte(strings.Join([]string{
		`["pipe"]`, `["push",["pipeline",0,["sum"],[["readable",1]]]]`, `["pull",2]`, `["stream",["pipeline",1,["write"],[1]]]`, `["stream",["pipeline",1,["close"],[]]]`,
	}, "\n")))
	f.Add([]byte(strings.Join([]string{
		`["push",["pipeline",0,["twice"],[["export",-1]]]]`, `["pull",1]`, `["resolve",1,5]`, `["resolve",2,["promise",-2]]`, `["reject",-2,["error","E","m"]]`,
	}, "\n")))
	f.Add([]byte(strings.Join([]string{
		`["push",["pipeline",0,["echo"],[[[1,[[2]]]]]]]`, `["push",["remap",1,[],[["import",0],["export",-1]],[["pipeline",-1,["echo"],[["pipeline",0]]],["pipeline",1]]]]`, `["pull",2]`,
	}, "\n")))
	f.Add([]byte(strings.Join([]string{
		`["push",["pipeline",0,["numbers"],[1000]]]`, `["pull",1]`, `["resolve",2,["undefined"]]`, `["reject",3,["error","E","m"]]`, `["abort",["error","E","m"]]`,
	}, "\n")))
	f.Add([]byte(strings.Join([]string{
		`["push",["promise",-1]]`, `["resolve",-1,["pipeline",1]]`, `["pull",1]`, `["push",["export",-2]]`, `["push",["pipeline",2,["a"],[["writable",-3]]]]`, `["pull",3]`,
		`["push",["pipeline",0,["echo"],[["request","http://a/",{"body":["readable",9]}]]]]`,
	}, "\n")))
	f.Add([]byte(strings.Join([]string{
		`["push",["promise",-1]]`, `["push",["promise",-2]]`, `["resolve",-1,["pipeline",2]]`, `["resolve",-2,["pipeline",1]]`, `["pull",1]`,
		`["push",["pipeline",1,["a"],[]]]`, `["push",["pipeline",2,["a","b"]]]`, `["pull",4]`,
	}, "\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		tr := newScript()
		tr.idle = make(chan struct{}, len(data)+2)
		stop := make(chan struct{})
		go func() { // the peer reads all and says no more than the input
			for {
				select {
				case <-tr.out:
				case <-stop:
					return
				}
			}
		}()
		var released atomic.Int32
		main := service(&released)
		delete(main, "panic")
		s := NewSession(tr, main, &Options{Limits: Limits{Depth: 50, Exports: 100, Imports: 100, StreamWindow: 1000, MapSteps: 100, MessageBytes: 10000}})
		for line := range bytes.SplitSeq(data, []byte("\n")) {
			select {
			case tr.in <- line:
			case <-s.ctx.Done():
			}
		}
		_ = s.Close()
		finish(t, s)
		close(stop)
		if st := s.Stats(); st != (Stats{}) {
			t.Fatalf("a session that has ended holds %+v", st)
		}
	})
}
