//! The adapter on the wire: what it sends, and what it makes of what comes back, against a listener
//! on this machine.

#[cfg(test)]
mod apply;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod listener;
#[cfg(test)]
mod observe;
#[cfg(test)]
mod other_services;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod resolve;
#[cfg(test)]
mod table;
