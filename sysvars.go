package vitessdo

import (
	"math"
	"strings"
	"time"
)

const (
	mysqlUnknownCharset = 1115
	mysqlWrongValue     = 1231
	mysqlReadOnlyVar    = 1238
)

func wrongValue(name string, val any) error {
	text, ok := asText(val)
	if !ok {
		text = "NULL"
	}
	e := newError(CodePlan, "variable '%s' can't be set to the value of '%s'", name, text)
	e.Number, e.SQLState = mysqlWrongValue, "42000"
	return e
}

// setPlain sets a variable that no other one's meaning hangs on.
func (s *session) setPlain(name string, val any) error {
	if strings.HasPrefix(name, "character_set_") || name == "names" || name == "character set" {
		if err := checkCharset(val); err != nil {
			return err
		}
	}
	if name == "names" || name == "character set" {
		return nil
	}
	if switches[name] {
		val = boolean(truth(val))
	}
	def, known := defaults[name]
	switch {
	case ignored[name]:
		s.sysvars[name] = val
		return nil
	case !known:
		_, err := s.defaultVar(name)
		return err
	case only[name] && sameText(val, def):
		return nil
	case only[name]:
		return newError(CodeUnsupported, "SET %s is not supported: it is always %v", name, def)
	}
	e := newError(CodeUnsupported, "variable '%s' is a read only variable", name)
	e.Number, e.SQLState = mysqlReadOnlyVar, "HY000"
	return e
}

func sameText(a, b any) bool {
	x, _ := asText(a)
	y, _ := asText(b)
	return strings.EqualFold(x, y)
}

// setGlobal refuses what would change other sessions: options of the data
// source name are how a pool's sessions begin.
func (s *session) setGlobal(name string) error {
	if _, err := s.defaultVar(name); err != nil {
		return err
	}
	if ignored[name] {
		return nil
	}
	return newError(CodeUnsupported, "SET GLOBAL %s is not supported: set it for the session, or by the data source name for all sessions of a pool", name)
}

// checkCharset: text goes between Go programs and the database as UTF-8.
func checkCharset(val any) error {
	name, ok := asText(val)
	switch strings.ToLower(name) {
	case "utf8mb4", "utf8", "utf8mb3", "ascii", "binary", "us-ascii":
		return nil
	}
	if !ok {
		return nil // NULL and DEFAULT: no conversion
	}
	e := newError(CodeUnsupported, "unknown character set: '%s'; text is UTF-8, so that only utf8mb4 and what is part of it can be chosen", name)
	e.Number, e.SQLState = mysqlUnknownCharset, "42000"
	return e
}

// What an SQL mode is to us: kept to by every statement whatever is set,
// without meaning here, or something that would change what statements mean and
// that we don't do. The others are the parser's (modesOf).
var (
	harmlessModes = modeSet("ONLY_FULL_GROUP_BY STRICT_TRANS_TABLES STRICT_ALL_TABLES NO_ZERO_IN_DATE NO_ZERO_DATE " +
		"ERROR_FOR_DIVISION_BY_ZERO NO_ENGINE_SUBSTITUTION TRADITIONAL IGNORE_SPACE NO_DIR_IN_CREATE NO_FIELD_OPTIONS NO_KEY_OPTIONS " +
		"NO_TABLE_OPTIONS NO_AUTO_CREATE_USER ANSI_QUOTES PIPES_AS_CONCAT NO_BACKSLASH_ESCAPES NO_AUTO_VALUE_ON_ZERO ANSI")
	refusedModes = modeSet("ALLOW_INVALID_DATES HIGH_NOT_PRECEDENCE NO_UNSIGNED_SUBTRACTION " +
		"PAD_CHAR_TO_FULL_LENGTH REAL_AS_FLOAT TIME_TRUNCATE_FRACTIONAL DB2 MAXDB MSSQL MYSQL323 MYSQL40 ORACLE POSTGRESQL")
)

func modeSet(list string) map[string]bool {
	out := map[string]bool{}
	for _, m := range strings.Fields(list) {
		out[m] = true
	}
	return out
}

func (s *session) setSQLMode(val any) error {
	list, ok := val.(string)
	if !ok {
		return wrongValue("sql_mode", val)
	}
	var names []string
	for _, m := range strings.Split(strings.ToUpper(list), ",") {
		m = strings.TrimSpace(m)
		switch {
		case m == "":
			continue
		case refusedModes[m]:
			return newError(CodeUnsupported, "sql_mode %s is not supported: it would change what statements mean", m)
		case !harmlessModes[m]:
			return wrongValue("sql_mode", m)
		}
		names = append(names, m)
	}
	list = strings.Join(names, ",")
	s.modes = modesOf(list)
	s.sysvars["sql_mode"] = list
	s.forgetPlans()
	return nil
}

// setDDL is SET of ddl: what a change of the schema does to an open transaction.
func (s *session) setDDL(val any) error {
	text, _ := asText(val)
	switch text = strings.ToLower(text); text {
	case ddlTransactional, ddlAutocommit:
		s.sysvars["ddl"] = text
		return nil
	}
	return newError(CodePlan, "ddl is %v; it must be %s or %s", val, ddlTransactional, ddlAutocommit)
}

// setTimestamp makes NOW() tell that time in this session; 0 and DEFAULT end
// it.
func (s *session) setTimestamp(val any) error {
	n, ok := numberOf(val)
	if val != nil && (!ok || n < 0 || n > math.MaxInt32) {
		return wrongValue("timestamp", val)
	}
	delete(s.sysvars, "timestamp")
	if n > 0 {
		s.sysvars["timestamp"] = time.UnixMicro(int64(n * 1e6))
	}
	return nil
}

// maxExecution is max_execution_time; 0 for none.
func (s *session) maxExecution() time.Duration {
	n, _ := s.sysvars["max_execution_time"].(int64)
	return time.Duration(n) * time.Millisecond
}
