package recorded

import (
	"embed"

	"strowger/system/fusionpbx/switchsim"
)

// files are two of the recordings in testdata/fusionpbx, where a README says what they are and a test compares them.
//
//go:embed recordings
var files embed.FS

// scene is a recording and what happens in it.
type scene struct {
	recording *switchsim.Recording
	about     string
}

// scenes are played in this order, again and again.
func scenes() ([]scene, error) {
	all := []scene{
		{about: "1001 calls 1002 in both tenants at the same time"},
		{about: "a conference of three in a.example.com, with mutes and a kick"},
	}
	for i, name := range []string{"calls-two-domains", "conf-three"} {
		r, err := switchsim.Load(files, "recordings/"+name)
		if err != nil {
			return nil, err
		}
		all[i].recording = r
	}
	return all, nil
}
