package state

// Setting returns the value of a setting of the site, or "" if it is not set.
func (tx *Tx) Setting(key string) (string, error) {
	var v string
	_, err := tx.scan(`SELECT value FROM setting WHERE key = ?`, []any{key}, &v)
	return v, err
}

// SetSetting sets a setting of the site.
func (tx *Tx) SetSetting(key, value string) error {
	_, err := tx.exec(`INSERT INTO setting (key, value) VALUES (?, ?)
		ON CONFLICT DO UPDATE SET value = excluded.value`, key, value)
	return err
}
