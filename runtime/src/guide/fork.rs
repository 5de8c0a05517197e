#![doc = include_str!("fork.md")]
