//! An enum of 300 variants with 8 fields: reading and writing a variant needs stack for that variant only.

use std::thread;

use datagrammar::{Message, to_vec};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
struct Point {
    x: u64,
    y: u64,
}

macro_rules! large {
    ($($variant:ident $tag:literal,)*) => {
        #[derive(Message, Debug, PartialEq)]
        enum Large {
            $(
                #[message(tag = $tag)]
                $variant {
                    a: u64,
                    b: String,
                    c: Vec<u8>,
                    d: Option<u32>,
                    e: Point,
                    f: [u64; 4],
                    g: Vec<String>,
                    h: bool,
                },
            )*
        }
    };
}

large! {
    V001 1, V002 2, V003 3, V004 4, V005 5, V006 6, V007 7, V008 8, V009 9, V010 10,
    V011 11, V012 12, V013 13, V014 14, V015 15, V016 16, V017 17, V018 18, V019 19, V020 20,
    V021 21, V022 22, V023 23, V024 24, V025 25, V026 26, V027 27, V028 28, V029 29, V030 30,
    V031 31, V032 32, V033 33, V034 34, V035 35, V036 36, V037 37, V038 38, V039 39, V040 40,
    V041 41, V042 42, V043 43, V044 44, V045 45, V046 46, V047 47, V048 48, V049 49, V050 50,
    V051 51, V052 52, V053 53, V054 54, V055 55, V056 56, V057 57, V058 58, V059 59, V060 60,
    V061 61, V062 62, V063 63, V064 64, V065 65, V066 66, V067 67, V068 68, V069 69, V070 70,
    V071 71, V072 72, V073 73, V074 74, V075 75, V076 76, V077 77, V078 78, V079 79, V080 80,
    V081 81, V082 82, V083 83, V084 84, V085 85, V086 86, V087 87, V088 88, V089 89, V090 90,
    V091 91, V092 92, V093 93, V094 94, V095 95, V096 96, V097 97, V098 98, V099 99, V100 100,
    V101 101, V102 102, V103 103, V104 104, V105 105, V106 106, V107 107, V108 108, V109 109, V110 110,
    V111 111, V112 112, V113 113, V114 114, V115 115, V116 116, V117 117, V118 118, V119 119, V120 120,
    V121 121, V122 122, V123 123, V124 124, V125 125, V126 126, V127 127, V128 128, V129 129, V130 130,
    V131 131, V132 132, V133 133, V134 134, V135 135, V136 136, V137 137, V138 138, V139 139, V140 140,
    V141 141, V142 142, V143 143, V144 144, V145 145, V146 146, V147 147, V148 148, V149 149, V150 150,
    V151 151, V152 152, V153 153, V154 154, V155 155, V156 156, V157 157, V158 158, V159 159, V160 160,
    V161 161, V162 162, V163 163, V164 164, V165 165, V166 166, V167 167, V168 168, V169 169, V170 170,
    V171 171, V172 172, V173 173, V174 174, V175 175, V176 176, V177 177, V178 178, V179 179, V180 180,
    V181 181, V182 182, V183 183, V184 184, V185 185, V186 186, V187 187, V188 188, V189 189, V190 190,
    V191 191, V192 192, V193 193, V194 194, V195 195, V196 196, V197 197, V198 198, V199 199, V200 200,
    V201 201, V202 202, V203 203, V204 204, V205 205, V206 206, V207 207, V208 208, V209 209, V210 210,
    V211 211, V212 212, V213 213, V214 214, V215 215, V216 216, V217 217, V218 218, V219 219, V220 220,
    V221 221, V222 222, V223 223, V224 224, V225 225, V226 226, V227 227, V228 228, V229 229, V230 230,
    V231 231, V232 232, V233 233, V234 234, V235 235, V236 236, V237 237, V238 238, V239 239, V240 240,
    V241 241, V242 242, V243 243, V244 244, V245 245, V246 246, V247 247, V248 248, V249 249, V250 250,
    V251 251, V252 252, V253 253, V254 254, V255 255, V256 256, V257 257, V258 258, V259 259, V260 260,
    V261 261, V262 262, V263 263, V264 264, V265 265, V266 266, V267 267, V268 268, V269 269, V270 270,
    V271 271, V272 272, V273 273, V274 274, V275 275, V276 276, V277 277, V278 278, V279 279, V280 280,
    V281 281, V282 282, V283 283, V284 284, V285 285, V286 286, V287 287, V288 288, V289 289, V290 290,
    V291 291, V292 292, V293 293, V294 294, V295 295, V296 296, V297 297, V298 298, V299 299, V300 300,
}

/// A sixteenth of the stack of a test thread. One function for all variants would take 900 KiB.
const STACK: usize = 128 * 1024;

#[test]
fn one_variant_needs_stack_for_its_own_fields() {
    let round_trip = || {
        let message = Large::V300 {
            a: 1,
            b: "b".to_owned(),
            c: vec![2],
            d: Some(3),
            e: Point { x: 4, y: 5 },
            f: [6; 4],
            g: vec!["g".to_owned()],
            h: true,
        };
        let frame = to_vec(&message).unwrap();
        assert_eq!(Large::decode(&frame).unwrap(), message);
    };
    thread::Builder::new().stack_size(STACK).spawn(round_trip).unwrap().join().unwrap();
}
