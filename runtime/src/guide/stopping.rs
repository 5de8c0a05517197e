#![doc = include_str!("stopping.md")]
