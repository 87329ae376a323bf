//go:build linux && amd64 && !nonode

package libsql_test

import (
	"database/sql"
	"testing"

	"github.com/vitessdo/vitessdo/internal/contract"
	"github.com/vitessdo/vitessdo/internal/enginetest"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

// TestContract runs the contract of an engine over both of the client's protocols.
func TestContract(t *testing.T) {
	for _, scheme := range []string{"http", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			servers := map[string]*server{}
			enginetest.Run(t, enginetest.Database{Options: sqldb.Options{JSON: true}, Lacks: contract.Options{JSON: true, LastRow: true}, Open: func(t *testing.T, name string) *sql.DB {
				if servers[name] == nil {
					servers[name] = serve(t)
				}
				return servers[name].pool(t, scheme)
			}})
		})
	}
}
