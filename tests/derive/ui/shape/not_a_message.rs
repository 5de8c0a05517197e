use datagrammar::to_vec;

struct Ping;

fn main() {
    let _ = to_vec(&Ping);
}
