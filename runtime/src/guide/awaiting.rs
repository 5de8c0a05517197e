#![doc = include_str!("awaiting.md")]
