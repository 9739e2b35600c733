package activities

import "os"

// scratchFile is a temporary file of this process.
type scratchFile struct{ *os.File }

func (r *Rooms) scratchFile(pattern string) (scratchFile, error) {
	f, err := os.CreateTemp(r.Scratch, pattern)
	return scratchFile{f}, err
}

// end closes and removes the file.
func (f scratchFile) end() {
	f.Close()
	os.Remove(f.Name()) //nolint:errcheck // scratch
}
