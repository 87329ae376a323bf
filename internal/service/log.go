package service

import (
	"fmt"
	"io"
	"log/slog"
)

// Logger makes the logger that the flags --log and --log-level ask for; its errors name
// the flag.
func Logger(to io.Writer, format, level string) (*slog.Logger, error) {
	var opts slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level is %q; it may be debug, info, warn or error", level)
	}
	opts.Level = l
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(to, &opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(to, &opts)), nil
	}
	return nil, fmt.Errorf("--log is %q; it may be text or json", format)
}
