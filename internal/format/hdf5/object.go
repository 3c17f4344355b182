package hdf5

import "github.com/sallyport/sallyport/internal/format"

// object visits one.
func (w *walker) object(o *Object) error {
	s := &Storage{Object: o, w: w}
	err := w.messages(o.Off, func(m message) error { return w.objectMessage(o, s, m) })
	if err != nil {
		return err
	}
	if o.Kind == Dataset && w.visit.Storage != nil {
		if err := w.visit.Storage(s); err != nil {
			return err
		}
	}
	if w.visit.Object == nil {
		return nil
	}
	return w.visit.Object(o)
}

// objectMessage reads one message of an object's header.
func (w *walker) objectMessage(o *Object, s *Storage, m message) error {
	if m.shared {
		return w.sharedMessage(s, m)
	}
	var err error
	switch m.kind {
	case msgLinkInfo:
		o.Kind = Group
		err = w.linkInfo(o)
	case msgLink:
		o.Kind = Group
		return w.linkMessage(o, m.end)
	case msgSymbolTable:
		o.Kind = Group
		err = w.symbolTable(o)
	case msgDatatype:
		if o.Kind == Unknown {
			o.Kind = Datatype
		}
		s.Type, err = w.datatype()
	case msgLayout:
		o.Kind = Dataset
		err = w.layout(s)
	case msgExternal:
		err = w.externalFiles(s)
	case msgFilters:
		err = w.filters(s)
	case msgAttribute:
		return w.attribute(o, m.end)
	case msgAttributeInfo:
		err = w.attributeInfo(o)
	}
	return err
}

// sharedMessage reads a message that stands elsewhere. Only datatypes do so in
// files that the library writes with its defaults.
func (w *walker) sharedMessage(s *Storage, m message) error {
	var err error
	switch m.kind {
	case msgDatatype:
		s.Type, err = w.sharedType()
	case msgFilters, msgAttribute:
		return format.Unsupportedf(m.off, "a message is shared")
	case msgLinkInfo, msgLink, msgSymbolTable, msgLayout, msgExternal, msgAttributeInfo:
		return format.Brokenf(m.off, "a message is shared that cannot be")
	}
	return err
}
