package sandbox

import "errors"

// foreignCall has nothing to try: a 64-bit ARM program cannot make a 32-bit call.
func foreignCall([]string) error { return errors.New("there is no foreign call here") }
