//! The orders service: a server process on a machine, a request handler as a component.

service_kit::serve!("orders", service_orders::app);
