package topo

import (
	"strings"
	"testing"
)

func TestMemory(t *testing.T) {
	st, err := Memory(4, "Shop")
	if err != nil {
		t.Fatal(err)
	}
	k := st.Keyspace("shop")
	if k == nil || !k.Sharded || len(k.Ranges()) != 4 || k.Shard("40-80") == nil || k.Shard("0") != nil || k.Shards[0].File != "" || !st.Auto {
		t.Errorf("got %+v", st)
	}
	if st, err := Memory(0, ""); err != nil || st.Keyspaces[0].Name != DefaultKeyspace || len(st.Keyspaces[0].Shards) != 1 {
		t.Errorf("got %+v, %v", st, err)
	}
	if _, err := Memory(257, ""); err == nil || !strings.Contains(err.Error(), "257") {
		t.Errorf("got %v", err)
	}
}

func TestKeyspaceNames(t *testing.T) {
	for name, good := range map[string]bool{
		"main": true, "A_b-1$": true, "_": true, "": false, "1a": false, "-a": false, "a.b": false, "a/b": false, "..": false,
		"ä": false, "a b": false, "Information_Schema": false, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
	} {
		if err := CheckKeyspaceName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
		if err := CheckKeyspaceName("käse"); err == nil || !strings.Contains(err.Error(), "'ä'") {
			t.Errorf("the character isn't named: %v", err)
		}
	}
}
