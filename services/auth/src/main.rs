//! The auth service: a server process on a machine, a request handler as a component.

service_kit::serve!("auth", service_auth::app);
