package lint

import (
	"slices"
	"strings"
	"testing"
)

const module = "github.com/vitessdo/vitessdo"

// layers says for every package which others of this module it may import, as
// paths below the module's. A package that isn't here fails the test, so that a
// new room is given its place knowingly.
var layers = map[string]struct {
	may    []string
	reason string
}{
	".": {[]string{"catalog", "ddl", "dialect", "dialect/postgres", "dialect/sqlite", "exec", "foreign", "info", "internal/decimal", "internal/disk", "internal/tally", "route", "rpc", "rpc/capnweb", "schema", "sqlast", "sqlparse", "tablet",
		"tabletserver", "tabletserver/redolog", "tabletserver/waits", "topo", "twopc", "vindex", "vschema"},
		"the driver ties the rooms together; SQLite itself stays behind the tablets and the combine"},
	"catalog":              {[]string{"route", "schema", "sqlast", "sqlparse", "tablet", "topo", "vschema"}, "what is planned with comes from the catalog, whoever plans"},
	"clients/typescript":   {nil, "it is JavaScript; only its test is Go"},
	"cmd/vitessdo":         {[]string{".", "front/sqlite", "gate/process", "internal/advise", "internal/plantree", "internal/present", "internal/shell", "internal/status", "internal/vschemadiff", "reshard", "tabletserver/process", "transfer", "vindex", "vschema"}, "the command is a user of the driver like any other, so that it needs nothing that others can't have"},
	"ddl":                  {[]string{"dialect", "dialect/sqlite", "foreign", "internal/decimal", "internal/fit", "schema", "sqlast", "vindex", "vschema"}, "schema changes are planned without a running tablet"},
	"dialect":              {[]string{"sqlast"}, "printing needs the tree and nothing else"},
	"dialect/postgres":     {[]string{"dialect", "dialect/sqlite", "sqlast"}, "printing needs the tree, and what the gate's own engine makes of constants"},
	"dialect/sqlite":       {[]string{"dialect", "internal/decimal", "internal/jsontable", "sqlast"}, "printing needs the tree, and what SQLite makes of its numbers"},
	"exec":                 {[]string{"dialect", "dialect/sqlite", "internal/decimal", "internal/fit", "internal/sqlite", "route", "schema", "sqlast", "tablet", "vindex"}, "plans run without a SQL parser and without knowing which tablet answers"},
	"foreign":              {[]string{"schema", "sqlast", "vschema"}, "who keeps a key follows from schema and VSchema alone"},
	"gate":                 {[]string{".", "internal/service", "rpc", "rpc/capnweb", "tablet"}, "the gate is a user of the driver, and speaks the messages of the protocol"},
	"gate/console":         {[]string{".", "internal/service", "topo"}, "the console is a user of the driver like any other; where a directory has its files, topo knows"},
	"gate/process":         {[]string{".", "gate", "gate/console", "internal/service"}, "it puts the gate behind flags and listeners"},
	"info":                 {[]string{"ddl", "dialect", "schema", "sqlast", "vschema"}, "SHOW is answered from the schema alone, without a tablet"},
	"internal/contract":    {[]string{"tablet"}, "what the contract promises is tested with nothing but the contract"},
	"internal/await":       {nil, "waiting has nothing to do with what is waited for"},
	"internal/workerd":     {[]string{"internal/npm"}, "it runs the Worker, and knows nothing of what is asked of it"},
	"internal/decimal":     {nil, "numbers belong to no room; the gate and the engine must round alike"},
	"internal/chaosproxy":  {nil, "a network knows nothing of what travels over it"},
	"internal/conformance": {nil, "the cases are data and a reader; only their tests use the driver"},
	"internal/doctest":     {nil, "it runs what pages show, by commands that anybody could give"},
	"internal/disk":        {nil, "files belong to no room; all that changes one does it here, so that tests can make it fail"},
	"internal/difftest":    {[]string{".", "internal/remotetest"}, "the differential tests are a user of the driver"},
	"internal/enginetest":  {[]string{"internal/await", "internal/contract", "tablet", "tabletserver", "tabletserver/sqldb"}, "the contract of an engine is tested from above"},
	"internal/faultfs":     {[]string{"internal/disk"}, "it stands below everything that writes files"},
	"internal/history":     {[]string{".", "internal/remotetest"}, "the workloads are a user of the driver like any other"},
	"internal/fit":         {[]string{"internal/decimal", "tablet"}, "what a column keeps depends on the value and the type alone"},
	"internal/jsontable":   {nil, "it is what the printer and the engine agree upon"},
	"internal/lint":        {nil, "the rules look at files only"},
	"internal/npm":         {nil, "it runs npm for tests, whatever they are about"},
	"internal/advise":      {[]string{"ddl", "dialect", "dialect/sqlite", "foreign", "internal/present", "route", "schema", "sqlast", "sqlparse", "vindex", "vschema"}, "statements are planned against layouts that are nowhere yet, without a tablet"},
	"internal/plantree":    {[]string{"internal/present"}, "it reads plans as EXPLAIN tells them to everybody"},
	"internal/present":     {nil, "how rows are written has nothing to do with where they come from"},
	"internal/shell":       {[]string{"internal/plantree", "internal/present"}, "the shell is a user of database/sql, whatever the driver"},
	"internal/tally":       {[]string{"info", "sqlparse"}, "what is counted of statements is the same, whoever runs them"},
	"internal/status":      {[]string{"internal/present", "topo", "vschema"}, "it looks at a database as every user can"},
	"internal/vschemadiff": {[]string{"vschema"}, "how tables are sharded can be compared without a database"},
	"internal/service":     {[]string{"rpc/capnweb"}, "servers share it, and it knows none of them"},
	"internal/servicetest": {nil, "it runs servers for tests, whatever they serve"},
	"internal/wiretalk":    {[]string{"rpc/capnweb"}, "it plays what a page says, whoever answers"},
	"internal/remotetest":  {[]string{"rpc", "tablet", "tabletserver", "tabletserver/host"}, "a server for tests needs tablets and the wire, and knows no driver"},
	"internal/tpcc":        {[]string{"."}, "the benchmark is a user of the driver like any other"},
	"internal/tpch":        {[]string{"."}, "the benchmark is a user of the driver like any other"},
	"internal/sqlite":      {[]string{"internal/decimal", "internal/fit", "internal/jsontable", "tablet"}, "the engine knows only the tablet's error codes"},
	"reshard": {[]string{".", "catalog", "ddl", "dialect/sqlite", "exec", "internal/disk", "internal/sqlite", "route", "schema", "sqlast", "tablet", "tabletserver", "tabletserver/redolog", "topo", "vindex", "vschema"},
		"it moves a directory's databases beneath the driver, which only settles them before"},
	"route":                {[]string{"dialect", "foreign", "internal/decimal", "schema", "sqlast", "vindex", "vschema"}, "planning needs no running tablet and runs nothing, so that plans are tested as text"},
	"rpc":                  {[]string{"rpc/capnweb", "tablet"}, "the wire carries the contract between gate and tablet, and knows neither"},
	"rpc/capnweb":          {nil, "the protocol knows nothing of what is said in it"},
	"rpc/capnweb/interop":  {nil, "the tests look at the protocol from outside"},
	"schema":               {[]string{"sqlast"}, "what tables look like doesn't depend on who plans for them"},
	"sqlast":               {nil, "the tree is the language that the others share"},
	"front/corpus":         {nil, "it compares what drivers answer, and knows none"},
	"front/sqlite":         {[]string{".", "front", "sqlast"}, "a front end registers itself with the driver, and makes trees"},
	"front":                {[]string{"sqlast"}, "front ends make trees, and know neither the planner nor each other"},
	"sqlparse":             {[]string{"sqlast"}, "another front end must be a matter of one package"},
	"tablet":               {nil, "the contract between gate and tablet belongs to neither"},
	"tabletserver":         {[]string{"internal/disk", "internal/sqlite", "tablet", "tabletserver/redolog", "tabletserver/waits", "twopc/protocol"}, "a tablet can be built and used alone: it knows no planner"},
	"tabletserver/host":    {[]string{"internal/disk", "tablet", "tabletserver", "tabletserver/redolog", "tabletserver/waits", "topo", "vindex"}, "whoever keeps tablets for others knows what they are and where their files lie, and neither plans nor speaks"},
	"tabletserver/lease":   {[]string{"tablet"}, "who owns a database is a matter of its row and of clocks, whatever the database speaks"},
	"tabletserver/process": {[]string{".", "gate/console", "info", "internal/service", "internal/tally", "rpc", "rpc/capnweb", "tablet", "tabletserver", "tabletserver/host"}, "the process ties the tablets of a directory to the wire; the driver recovers what it has left itself"},
	"tabletserver/redolog": {[]string{"internal/disk", "tablet"}, "a tablet can be built and used alone: it knows no planner"},
	"tabletserver/sqldb":   {[]string{"internal/sqlite", "tablet", "tabletserver", "tabletserver/lease"}, "it is an engine beneath a tablet"},
	"tabletserver/waits":   {[]string{"tablet"}, "locks know no database"},
	"topo":                 {[]string{"internal/disk", "tablet", "vindex", "vschema"}, "topology is data: it plans nothing and opens no engine"},
	"transfer":             {[]string{".", "dialect", "dialect/sqlite", "internal/disk", "internal/sqlite", "sqlast", "sqlparse"}, "rows come and go over database/sql, wherever the database is; SQLite reads SQLite's files"},
	"twopc":                {[]string{"tablet", "twopc/protocol"}, "the commit protocol runs in a simulator with no SQL at all"},
	"twopc/protocol":       {nil, "the state machines do no I/O: what they decide depends on what they are told"},
	"twopc/sim":            {[]string{"twopc/protocol"}, "the simulator drives the machines alone"},
	"vindex":               {[]string{"internal/decimal"}, "where a value lives depends on the value and the vindex alone"},
	"vitessdotest":         {[]string{".", "sqlparse"}, "a user's tests are users of the driver like any other; only their schema's text is taken apart"},
	"vschema":              {[]string{"vindex"}, "a VSchema names vindexes and knows nothing of SQL"},
}

// oracle may also be imported by the differential tests, which translate for a
// plain SQLite database by the same dialect.
var oracle = []string{"ddl", "dialect", "dialect/sqlite", "exec", "internal/decimal", "internal/sqlite", "route", "schema", "sqlast", "sqlparse", "tablet", "vindex", "vschema"}

// outside says which packages of the module may import modules of others that
// must stay in one room. A prefix covers all below it.
var outside = []struct {
	prefix string
	may    []string
	tests  bool // tests must keep to it too
	reason string
}{
	{"github.com/pingcap/", []string{"sqlparse"}, true, "the parser's types never leave sqlparse: it is an 8 MB generated file with hooks for the whole process"},
	{"github.com/ncruces/", []string{"internal/faultfs", "internal/sqlite"}, false, "the storage engine stays behind internal/sqlite, so that it can be swapped; its faults are made below it"},
	{"github.com/anishathalye/", []string{"internal/history"}, true, "checking histories is for tests, and no part of the driver"},
	{"github.com/coder/websocket", []string{"rpc/capnweb"}, false, "WebSockets stay behind capnweb.Transport"},
	{"database/sql", []string{".", "cmd/vitessdo", "front/corpus", "internal/conformance", "internal/difftest", "internal/enginetest", "internal/history", "internal/plantree", "internal/present", "internal/shell", "internal/status", "internal/tpcc", "internal/tpch", "reshard", "tabletserver/sqldb", "transfer", "vitessdotest"}, false, "inside, rows don't take the way over database/sql"},
}

func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.nested || f.test {
			continue
		}
		seen[f.pkg] = true
		rule, known := layers[f.pkg]
		if !known {
			t.Errorf("%s: package %q has no place in layers; say there what it may import, and why", f.path, f.pkg)
			continue
		}
		may := rule.may
		if f.pkg == "internal/difftest" {
			may = append(slices.Clone(may), oracle...)
		}
		for _, imp := range f.imports {
			if inner, ours := below(imp); ours && !slices.Contains(may, inner) {
				t.Errorf("%s imports %s: %s may import %v of this module, because %s", f.path, imp, f.pkg, may, rule.reason)
			}
		}
	}
	for pkg := range layers {
		if !seen[pkg] {
			t.Errorf("layers names package %q, which doesn't exist", pkg)
		}
	}
}

// below gives an import's path below the module, "." for the module's root.
func below(imp string) (string, bool) {
	if imp == module {
		return ".", true
	}
	return strings.CutPrefix(imp, module+"/")
}

func TestOutsideModules(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.nested {
			continue
		}
		for _, imp := range f.imports {
			for _, rule := range outside {
				if f.test && !rule.tests {
					continue
				}
				if hasPrefix(imp, rule.prefix) && !slices.Contains(rule.may, f.pkg) {
					t.Errorf("%s imports %s: only %v may, because %s", f.path, imp, rule.may, rule.reason)
				}
			}
		}
	}
}

func hasPrefix(imp, prefix string) bool {
	return imp == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(imp, prefix)
}

// A room that imports nothing of ours is tested without the rest of the house
// too: else a change elsewhere could break its tests. How tests wait is no part of
// the house.
func TestLowestRoomsTestAlone(t *testing.T) {
	for _, f := range goFiles(t) {
		if !f.test || f.nested || len(layers[f.pkg].may) > 0 || f.pkg == "internal/lint" || f.pkg == "internal/conformance" || f.pkg == "rpc/capnweb/interop" || f.pkg == "clients/typescript" {
			continue
		}
		for _, imp := range f.imports {
			if inner, ours := below(imp); ours && inner != f.pkg && inner != "internal/await" {
				t.Errorf("%s imports %s: %s stands alone, and so do its tests, because %s", f.path, imp, f.pkg, layers[f.pkg].reason)
			}
		}
	}
}
