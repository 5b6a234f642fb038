// Package php reads and prints PHP files that return a value, in the form that PHP's var_export
// writes. FusionPBX stores tokens in such files. Nothing in a file is run: Parse knows literals only.
//
// A value is one of nil, bool, int64, float64, string (of any bytes), *Array, *Object and EnumCase.
// Objects and enum cases are read and printed, and their classes are not looked for.
package php

import "fmt"

// DepthError is the error of Parse for arrays that are nested deeper than its caller allows.
type DepthError struct {
	Offset int // of the array that is too deep, in bytes
}

func (e *DepthError) Error() string {
	return fmt.Sprintf("offset %d: arrays nested too deep", e.Offset)
}
