package vitessdo

func readTopology(cfg *Config) (*hosts, error) {
	return nil, newError(CodeUnsupported, "topology=%s: not yet", cfg.Topology)
}
