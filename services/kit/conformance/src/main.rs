//! The store's suite as a service: a server process on a machine, a request handler as a component.

service_kit::serve!("store-suite", store_suite::app);
