//! The intruder: a server process on a machine, a request handler as a component.

service_kit::serve!("intruder", service_intruder::app);
