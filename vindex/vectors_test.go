package vindex

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
)

// vector is an answer of Vitess 0.24.3's own code.
type vector struct {
	Vindex      string            `json:"vindex"`
	Params      map[string]string `json:"params"`
	InputType   string            `json:"input_type"`
	Input       string            `json:"input"`
	InputHex    string            `json:"input_hex"`
	KeyspaceID  string            `json:"keyspace_id"`
	Destination string            `json:"destination"`
	Error       string            `json:"error"`
}

// deviations lists where we give a value a place that has none in Vitess,
// "vindex type value".
var deviations = map[string]string{
	"hash FLOAT64 1.1":                  "XXH3 of the text",
	"hash VARCHAR aa":                   "XXH3 of the text",
	"hash DECIMAL 3.0":                  "equals the integer 3",
	"hash VARCHAR -1":                   "text of the integer -1",
	"hash HEXNUM 0x10":                  "XXH3 of the bytes",
	"hash NULL_TYPE NULL":               "the NULL keyspace ID",
	"numeric NULL_TYPE NULL":            "the NULL keyspace ID",
	"reverse_bits NULL_TYPE NULL":       "the NULL keyspace ID",
	"numeric_static_map NULL_TYPE NULL": "the NULL keyspace ID",
}

// deviating is what we answer instead.
var deviating = map[string]string{
	"hash DECIMAL 3.0": "4eb190c9a2fa169c",
	"hash VARCHAR -1":  "355550b2150e2451",
	"NULL_TYPE NULL":   "0000000000000000",
}

func (v vector) value(t *testing.T, typ, text string) any {
	t.Helper()
	switch typ {
	case "NULL_TYPE":
		return nil
	case "INT64":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	case "UINT64":
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	case "FLOAT64":
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	case "DECIMAL":
		return Decimal(text)
	case "HEXNUM":
		return HexNum(text)
	case "HEXVAL":
		return HexNum("0x" + strings.Trim(text[1:], "'"))
	case "VARBINARY":
		b, err := hex.DecodeString(v.InputHex)
		if err != nil {
			t.Fatal(err)
		}
		return b
	case "VARCHAR":
		if !strings.Contains(v.InputType, ",") && v.InputHex != "" {
			b, err := hex.DecodeString(v.InputHex)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		return text
	}
	t.Fatalf("input type %s is new to this test", typ)
	return nil
}

func (v vector) values(t *testing.T) []any {
	if !strings.Contains(v.InputType, ",") {
		return []any{v.value(t, v.InputType, v.Input)}
	}
	var vs []any
	texts := strings.Split(v.Input, ",")
	for i, typ := range strings.Split(v.InputType, ",") {
		vs = append(vs, v.value(t, typ, texts[i]))
	}
	return vs
}

func TestVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/vindex_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 591 {
		t.Errorf("%d vectors, want 591", len(vectors))
	}
	used := map[string]bool{}
	for _, vec := range vectors {
		checkVector(t, vec, used)
	}
	for d := range deviations {
		if !used[d] {
			t.Errorf("deviation %q met no vector", d)
		}
	}
}

func checkVector(t *testing.T, vec vector, used map[string]bool) {
	key := vec.Vindex + " " + vec.InputType + " " + vec.Input
	label := key + " " + vec.Params["fallback_type"] + vec.Params["hash"]
	vx, err := New(vec.Vindex, "v", vec.Params)
	if err != nil {
		t.Errorf("%s: %v", label, err)
		return
	}
	if part, ok := strings.CutPrefix(vec.Destination, "DestinationKeyRange("); ok {
		r, err := vx.(PartialMapper).MapPrefix(vec.values(t))
		if want := strings.TrimSuffix(part, ")"); err != nil || r.String() != want {
			t.Errorf("%s: key range %s, %v, want %s", label, r, err, want)
		}
		return
	}
	got, err := mapAll(vx, vec.values(t))
	_, deviates := deviations[key]
	switch {
	case vec.Error != "":
		if err == nil || errors.Is(err, ErrNoDestination) {
			t.Errorf("%s: %x, %v, want an error like %s", label, got, err, vec.Error)
		}
	case deviates:
		used[key] = true
		want := deviating[key]
		if want == "" {
			want = deviating[strings.TrimPrefix(key, vec.Vindex+" ")]
		}
		if err != nil || len(got) != 8 || want != "" && hex.EncodeToString(got) != want {
			t.Errorf("%s: %x, %v, want %s", label, got, err, want)
		}
	case vec.Destination == "DestinationNone()":
		if !errors.Is(err, ErrNoDestination) {
			t.Errorf("%s: %x, %v, want no destination", label, got, err)
		}
	default:
		if err != nil || hex.EncodeToString(got) != vec.KeyspaceID {
			t.Errorf("%s: %x, %v, want %s", label, got, err, vec.KeyspaceID)
		}
	}
}

// mapAll maps behind a prefix, to see that Map appends.
func mapAll(vx Vindex, vs []any) ([]byte, error) {
	dst := []byte("prefix")
	var err error
	if m, ok := vx.(MultiColumn); ok {
		dst, err = m.MapMulti(dst, vs)
	} else {
		dst, err = vx.(SingleColumn).Map(dst, vs[0])
	}
	if string(dst[:6]) != "prefix" {
		return nil, errors.New("the prefix of dst is gone")
	}
	return dst[6:], err
}
