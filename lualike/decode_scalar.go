package lualike

import "reflect"

func isString(tag byte) bool {
	return tag&typeMask == typeShort || tag&typeMask == typeLong
}

// int reads a number as an integer.
func (d *Decoder) int(tag byte) (int64, error) {
	switch {
	case tag&typeMask == typeNil:
		return 0, nil
	case tag&typeMask != typeNumber:
		return 0, d.mismatch(tag, "an integer")
	case tag>>3 != numReal:
		return d.integer(tag >> 3)
	}
	f, err := d.real()
	if err != nil {
		return 0, err
	}
	return asInt(f)
}

func asInt(f float64) (int64, error) {
	n, ok := floatToInt(f)
	if !ok {
		return 0, faultf(ErrRange, "float %s has no integer form", formatFloat(f))
	}
	return n, nil
}

// float reads a number as a float.
func (d *Decoder) float(tag byte) (float64, error) {
	switch {
	case tag&typeMask == typeNil:
		return 0, nil
	case tag&typeMask != typeNumber:
		return 0, d.mismatch(tag, "a number")
	case tag>>3 == numReal:
		return d.real()
	}
	n, err := d.integer(tag >> 3)
	return float64(n), err
}

func (d *Decoder) bool(tag byte) (bool, error) {
	switch tag & typeMask {
	case typeNil:
		return false, nil
	case typeBool:
		return tag>>3 != 0, nil
	default:
		return false, d.mismatch(tag, "a boolean")
	}
}

func overflow(n int64, t reflect.Type) error {
	return faultf(ErrRange, "integer %d overflows %s", n, t)
}

// mismatch says that the value beginning with tag is not what was wanted, or is none at all.
func (d *Decoder) mismatch(tag byte, want string) error {
	if tag&typeMask > typeTable {
		return errStream
	}
	return faultf(ErrType, "%s is not %s", typeName(tag), want)
}

// typeName names the type of a packed value.
func typeName(tag byte) string {
	switch tag & typeMask {
	case typeNil:
		return "nil"
	case typeBool:
		return "boolean"
	case typeNumber:
		if tag>>3 == numReal {
			return "float"
		}
		return "integer"
	case typePointer:
		return "pointer"
	case typeTable:
		return "table"
	default:
		return "string"
	}
}
