package vitessdo

import (
	"context"
	"sort"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
)

// variable is a system variable as SHOW VARIABLES lists it.
type variable struct {
	name  string
	value any
}

// defaults are the system variables that clients ask for, with what a MySQL 8
// server of ours would say. Those that can be set are in settable.
var defaults = map[string]any{
	"autocommit": int64(1), "auto_increment_increment": int64(1), "auto_increment_offset": int64(1),
	"character_set_client": "utf8mb4", "character_set_connection": "utf8mb4", "character_set_results": "utf8mb4",
	"character_set_server": "utf8mb4", "character_set_database": "utf8mb4", "collation_connection": "utf8mb4_bin",
	"collation_server": "utf8mb4_bin", "collation_database": "utf8mb4_bin", "foreign_key_checks": int64(1),
	"unique_checks": int64(1), "sql_mode": "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
	"time_zone": "UTC", "system_time_zone": "UTC", "transaction_isolation": "REPEATABLE-READ", "tx_isolation": "REPEATABLE-READ",
	"transaction_read_only": int64(0), "version": serverVersion, "version_comment": "vitessdo", "lower_case_table_names": int64(0),
	"max_allowed_packet": int64(67108864), "wait_timeout": int64(28800), "interactive_timeout": int64(28800),
	"net_write_timeout": int64(60), "net_read_timeout": int64(30), "license": "Apache-2.0", "performance_schema": int64(0),
	"query_cache_size": int64(0), "query_cache_type": "OFF", "sql_safe_updates": int64(0), "sql_select_limit": int64(1<<63 - 1),
	"innodb_lock_wait_timeout": int64(10), "lock_wait_timeout": int64(10), "default_storage_engine": "InnoDB",
	"have_ssl": "DISABLED", "hostname": "localhost", "port": int64(3306), "protocol_version": int64(10), "init_connect": "",
	"group_concat_max_len": int64(1 << 30), "explicit_defaults_for_timestamp": int64(1), "transaction_mode": "twopc",
}

// ignored are variables whose setting is accepted and changes nothing, because
// what they ask for holds anyway or has no meaning here.
var ignored = map[string]bool{
	"character_set_client": true, "character_set_connection": true, "character_set_results": true, "collation_connection": true,
	"unique_checks": true, "sql_safe_updates": true, "net_write_timeout": true, "net_read_timeout": true, "wait_timeout": true,
	"interactive_timeout": true, "max_execution_time": true, "group_concat_max_len": true, "default_storage_engine": true,
	"names": true, "sql_notes": true, "lock_wait_timeout": true, "innodb_lock_wait_timeout": true, "character_set_database": true,
	"character_set_server": true, "collation_server": true, "collation_database": true, "sql_quote_show_create": true, "workload": true,
}

func (s *session) sysvar(name string) (any, error) {
	name = strings.ToLower(name)
	switch name {
	case "autocommit":
		if s.noCommit {
			return int64(0), nil
		}
	case "transaction_mode":
		return string(s.commitMode()), nil
	case "time_zone":
		return s.cfg.Loc.String(), nil
	}
	if v, ok := s.sysvars[name]; ok {
		return v, nil
	}
	if v, ok := defaults[name]; ok {
		return v, nil
	}
	e := newError(CodePlan, "unknown system variable '%s'", name)
	e.Number = 1193
	return nil, e
}

func (s *session) variables() []variable {
	var out []variable
	for name := range defaults {
		v, _ := s.sysvar(name)
		out = append(out, variable{name, v})
	}
	sort.Slice(out, func(i, k int) bool { return out[i].name < out[k].name })
	return out
}

// dirty says whether anything was set that a new connection hasn't.
func (s *session) dirty() bool {
	return s.sysvars != nil || s.uservars != nil || s.noCommit || s.used || len(s.warnings) > 0
}

func (s *session) set(ctx context.Context, st *sqlast.Set) error {
	for _, v := range st.Vars {
		val, err := s.setValue(ctx, v)
		if err == nil {
			err = s.setOne(ctx, v, val)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setValue evaluates the right side of an assignment.
func (s *session) setValue(ctx context.Context, v sqlast.SetVar) (any, error) {
	if v.Value == nil {
		return defaults[v.Name], nil
	}
	sel := &sqlast.Select{Items: []sqlast.SelectItem{{Expr: v.Value}}}
	plan, err := route.Select(s.env(), sel, 0, false)
	if err != nil {
		return nil, err
	}
	vec, err := exec.Bind(ctx, s, &plan.Params, nil, nil)
	if err != nil {
		return nil, err
	}
	r, err := exec.Query(ctx, s, plan, vec)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	row := make([]any, 1)
	if err := r.Next(row); err != nil {
		return nil, err
	}
	if b, ok := row[0].([]byte); ok {
		row[0] = append([]byte(nil), b...)
	}
	return row[0], nil
}

func (s *session) setOne(ctx context.Context, v sqlast.SetVar, val any) error {
	name := strings.ToLower(v.Name)
	if v.Scope == "user" {
		if s.uservars == nil {
			s.uservars = map[string]any{}
		}
		s.uservars[name] = val
		return nil
	}
	if s.sysvars == nil {
		s.sysvars = map[string]any{}
	}
	switch name {
	case "autocommit":
		return s.setAutocommit(ctx, val)
	case "transaction_mode":
		return s.setMode(val)
	case "sql_mode":
		text, _ := val.(string)
		s.modes = modesOf(text)
		s.sysvars[name] = text
		clear(s.local)
		clear(s.literals)
		return nil
	case "time_zone":
		return s.setTimeZone(val)
	case "transaction_isolation", "tx_isolation":
		return s.setIsolation(name, val)
	case "transaction_read_only", "tx_read_only":
		if truth(val) {
			return newError(CodeUnsupported, "SET TRANSACTION READ ONLY is not supported; use START TRANSACTION READ ONLY")
		}
		return nil
	case "foreign_key_checks":
		if !truth(val) {
			return newError(CodeUnsupported, "SET foreign_key_checks=0 is not supported; open the database with foreign_keys=off")
		}
		return nil
	}
	if ignored[name] || v.Scope == "names" {
		return nil
	}
	if _, ok := defaults[name]; !ok {
		e := newError(CodePlan, "unknown system variable '%s'", name)
		e.Number = 1193
		return e
	}
	return newError(CodeUnsupported, "system variable '%s' can't be set", name)
}

func truth(v any) bool {
	switch v := v.(type) {
	case int64:
		return v != 0
	case string:
		return strings.EqualFold(v, "on") || strings.EqualFold(v, "true") || v == "1"
	}
	return false
}

func (s *session) setAutocommit(ctx context.Context, val any) error {
	s.noCommit = !truth(val)
	if s.noCommit {
		return nil
	}
	return s.commit(ctx) // as MySQL does when autocommit comes on
}

func (s *session) setMode(val any) error {
	mode, _ := val.(string)
	mode = strings.ToLower(mode)
	switch mode {
	case "twopc", "multi", "single":
		s.sysvars["transaction_mode"] = mode
		return nil
	}
	return newError(CodePlan, "transaction_mode is %v; it must be twopc, multi or single", val)
}

func (s *session) setTimeZone(val any) error {
	name, _ := val.(string)
	if name == s.cfg.Loc.String() || strings.EqualFold(name, "SYSTEM") || name == "+00:00" && s.cfg.Loc.String() == "UTC" {
		return nil
	}
	return newError(CodeUnsupported, "time_zone can't be changed to %s by SET; open the database with loc=%s", strconv.Quote(name), name)
}

func (s *session) setIsolation(name string, val any) error {
	text, _ := val.(string)
	switch strings.ToUpper(text) {
	case "READ-UNCOMMITTED", "READ-COMMITTED", "REPEATABLE-READ":
		s.sysvars[name] = strings.ToUpper(text)
		return nil
	}
	return newError(CodeUnsupported, "isolation level %s is not supported over several shards; each shard gives one snapshot (REPEATABLE-READ)", text)
}
