;; Nothing is imported, and the handler does nothing.
(component
  (core module $main (memory (export "memory") 1) (func (export "handle")))
  (core instance $it (instantiate $main))
  (alias core export $it "handle" (core func $handle))
  (type $handler (func))
  (func $lifted (type $handler) (canon lift (core func $handle)))
  (instance $exported (export "handle" (func $lifted)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $exported)))
