package rpc

import (
	"bytes"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

func full() *Request {
	return &Request{
		Type: TypeShardQuery, ID: "a-1", Timestamp: 1, Timeout: 2, Trace: "00-1-2-01", Target: tablet.Target{Keyspace: "k", Shard: "-80"}, TxID: "t",
		Begin: &tablet.TxOptions{ReadOnly: true, Write: true, Age: math.MaxUint64, NoForeignKeys: true, LockWait: 3 * time.Second}, Holds: true, LockWait: tablet.NoWait,
		SQL: "SELECT ?1", Params: []tablet.Value{nil, int64(math.MinInt64), 5.0, math.Inf(-1), "x", "\xff", []byte{1}}, Count: 4, Schema: 1 << 60,
		Batch:  []tablet.Query{{SQL: "a", Args: []tablet.Value{int64(1)}}, {SQL: "b", Schema: 2}},
		Stream: true, Moment: true, Isolation: "i", Dialect: "l", Cursor: "c", Ref: "r", Name: "n", DTID: "d", Holder: tablet.Target{Keyspace: "k", Shard: "80-"},
		Participants: []tablet.Target{{Keyspace: "k", Shard: "1"}, {Keyspace: "l", Shard: "2"}}, Participant: tablet.Target{Keyspace: "k", Shard: "3"},
		Topology: 7,
	}
}

// Every field of a request gets across. A new one that doesn't is found by its
// zero value here.
func TestRequestIsWhole(t *testing.T) {
	in := full()
	v := reflect.ValueOf(in).Elem()
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Fatalf("give %s a value", v.Type().Field(i).Name)
		}
	}
	data, err := capnweb.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	value, err := capnweb.Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	out, err := ReadRequest(value)
	if err != nil || !reflect.DeepEqual(in, out) {
		t.Fatalf("%s\nbecame %+v, %v", data, out, err)
	}
}

// FuzzRequest: what is read as a request is written and read as the same.
func FuzzRequest(f *testing.F) {
	data, err := capnweb.Marshal(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(data))
	f.Add([]byte(`{"type":48,"params":[[{"real":5},{"text":["bytes","/w"]},true]]}`))
	f.Add([]byte(`{"type":300,"begin":null,"statements":[[1]],"participants":[[null]],"timeout":-1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := capnweb.Unmarshal(data)
		if err != nil {
			return
		}
		r, err := ReadRequest(v)
		if err != nil {
			return
		}
		again, err := capnweb.Marshal(r)
		if err != nil {
			t.Fatalf("%s is read as %+v, which can't be written: %v", data, r, err)
		}
		if v, err = capnweb.Unmarshal(again); err != nil {
			t.Fatal(err)
		}
		s, err := ReadRequest(v)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if third, err := capnweb.Marshal(s); err != nil || !bytes.Equal(again, third) {
			t.Fatalf("%s became %s, %v", again, third, err)
		}
	})
}
