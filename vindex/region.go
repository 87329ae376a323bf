package vindex

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// regionBytes appends the region's low one or two bytes, big-endian.
func regionBytes(dst []byte, region uint64, width int) []byte {
	if width == 2 {
		dst = append(dst, byte(region>>8))
	}
	return append(dst, byte(region))
}

func (id identity) regionWidth(params map[string]string) (int, error) {
	switch params["region_bytes"] {
	case "1":
		return 1, nil
	case "2":
		return 2, nil
	}
	return 0, id.paramError("region_bytes", "%q must be 1 or 2", params["region_bytes"])
}

// regionExperimental is Vitess's region_experimental over (region, id): the
// region's number, then the hash of the id.
type regionExperimental struct {
	identity
	width int
	hash  hashVindex
}

func newRegionExperimental(name string, params map[string]string) (Vindex, error) {
	v := &regionExperimental{identity: identity{"region_experimental", name, 1}}
	if err := v.checkParams(params, "region_bytes"); err != nil {
		return nil, err
	}
	v.hash.identity = v.identity
	var err error
	v.width, err = v.regionWidth(params)
	return v, err
}

func (x *regionExperimental) Columns() int { return 2 }

func (x *regionExperimental) MapMulti(dst []byte, vs []any) ([]byte, error) {
	if len(vs) != 2 {
		return dst, x.invalid(fmt.Sprint(len(vs), " values"), "it takes two columns, the region and the id")
	}
	id, err := x.appendRegion(dst, vs[0])
	if err != nil {
		return dst, err
	}
	return x.hash.Map(id, vs[1])
}

// appendRegion puts a NULL region into region 0.
func (x *regionExperimental) appendRegion(dst []byte, v any) ([]byte, error) {
	region, ok := unsigned(v)
	if !ok && v != nil {
		return dst, x.noDestination(v, "a region is an integer from 0 up")
	}
	return regionBytes(dst, region, x.width), nil
}

func (x *regionExperimental) MapPrefix(vs []any) (KeyRange, error) {
	var prefix []byte
	var err error
	switch len(vs) {
	case 1:
		prefix, err = x.appendRegion(nil, vs[0])
	case 2:
		prefix, err = x.MapMulti(nil, vs)
	default:
		err = x.invalid(fmt.Sprint(len(vs), " values"), "it takes one or two leading columns")
	}
	if err != nil {
		return KeyRange{}, err
	}
	return PrefixRange(prefix), nil
}

// regionJSON is Vitess's region_json over (id, country): the number of the
// country's region, then the hash of the id.
type regionJSON struct {
	identity
	width   int
	regions map[string]uint64
	hash    hashVindex
}

func newRegionJSON(name string, params map[string]string) (Vindex, error) {
	v := &regionJSON{identity: identity{"region_json", name, 1}}
	if err := v.checkParams(params, "region_map", "region_bytes"); err != nil {
		return nil, err
	}
	v.hash.identity = v.identity
	var err error
	if v.width, err = v.regionWidth(params); err != nil {
		return nil, err
	}
	// Vitess takes the path of a file; the object itself may stand here too.
	text := []byte(params["region_map"])
	if !strings.HasPrefix(strings.TrimSpace(params["region_map"]), "{") {
		if text, err = os.ReadFile(params["region_map"]); err != nil {
			return nil, v.paramError("region_map", "can't read the map: %v", err)
		}
	}
	if err := json.Unmarshal(text, &v.regions); err != nil {
		return nil, v.paramError("region_map", "want an object from country to region number: %v", err)
	}
	for country, region := range v.regions {
		if region >= 1<<(8*v.width) {
			return nil, v.paramError("region_map", "region %d of %q doesn't fit region_bytes=%s", region, country, strconv.Itoa(v.width))
		}
	}
	return v, nil
}

func (x *regionJSON) Columns() int { return 2 }

func (x *regionJSON) MapMulti(dst []byte, vs []any) ([]byte, error) {
	if len(vs) != 2 {
		return dst, x.invalid(fmt.Sprint(len(vs), " values"), "it takes two columns, the id and the country")
	}
	var region uint64 // NULL: region 0
	if vs[1] != nil {
		var ok bool
		if region, ok = x.regions[string(appendRaw(nil, vs[1]))]; !ok {
			return dst, x.noDestination(vs[1], "the country is not in region_map")
		}
	}
	return x.hash.Map(regionBytes(dst, region, x.width), vs[0])
}
