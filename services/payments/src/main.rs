//! The payments service: a server process on a machine, a request handler as a component.

service_kit::serve!("payments", service_payments::app);
