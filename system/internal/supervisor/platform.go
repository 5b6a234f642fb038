package supervisor

import (
	"errors"
	"strconv"

	"github.com/twmb/murmur3"
)

// CheckPlatform returns an error where the actor library would panic: on a 32-bit platform it needs
// another hash of ids, which strowger's go.mod puts in its place. Go heeds that only in the main
// module, so a program that embeds strowger has to do the same.
func CheckPlatform() error {
	if strconv.IntSize > 32 {
		return nil
	}
	return checkHash(murmur3.Sum32)
}

// checkHash looks whether a hash has only 31 bits. Of sixteen ids about eight have the 32nd.
func checkHash(hash func([]byte) uint32) error {
	for id := byte('a'); id < 'a'+16; id++ {
		if int32(hash([]byte{id})) < 0 { //nolint:gosec // it is the sign that counts
			return errors.New("actors cannot run on a 32-bit platform as this program was built: its go.mod needs the line: replace github.com/twmb/murmur3 => PATH/system/internal/supervisor/murmur3, where PATH is the directory of strowger")
		}
	}
	return nil
}
