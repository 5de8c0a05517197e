//! Random protocols, written by `generator.rs`. That file says how to generate others.
//!
//! Seed: 1
#![cfg_attr(rustfmt, rustfmt_skip)]

pub(crate) mod protocol_0 {
    use super::super::versions::*;

    version! { v1;
        enum Top [other] {
            191 Variant191 [extensible] { field_0: Vec<Middle> [nested], field_1: Vec<Option<Box<Middle>>> [nested], field_2: Box<Middle> [nested] }
            331 Variant331 [extensible] { field_0: u32 [], field_1: Vec<Part> [nested], field_2: Part [nested] }
        }
        enum Middle [other (Unknown<'static>)] {
            37 Variant37 [] { field_0: Vec<Option<u32>> [], field_1: Vec<Top> [nested], rest: Part [nested rest] }
            202 Variant202 [] { field_0: String [], field_1: OwnedFd [fd] }
            221 Variant221 [] {  }
        }
        enum Part {
            80 Variant80 [extensible] { field_0: String [], field_1: Option<Box<Top>> [nested], field_2: Option<OwnedFd> [fd] }
            146 Variant146 [] { field_0: bool [], field_1: Leaf [nested], field_2: bool [] }
            244 Variant244 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: u32 [], field_2: OwnedFd [fd] }
        }
        enum Leaf [other (Unknown<'static>)] {
            146 Variant146 [extensible] {  }
            300 Variant300 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested] }
            320 Variant320 [extensible] { field_0: Option<Box<Part>> [nested], field_1: OwnedFd [fd], field_2: OwnedFd [fd] }
        }
    }

    version! { v2;
        enum Top [other] {
            191 Variant191 [extensible] { field_0: Vec<Middle> [nested], field_1: Vec<Option<Box<Middle>>> [nested], field_2: Box<Middle> [nested], field_3: String [default], field_4: Option<Box<Part>> [nested default] }
            331 Variant331 [extensible] { field_0: u32 [], field_1: Vec<Part> [nested], field_2: Part [nested], field_3: Option<Box<Leaf>> [nested default], field_4: bool [default] }
            524 Variant524 [] {  }
        }
        enum Middle [other (Unknown<'static>)] {
            37 Variant37 [] { field_0: Vec<Option<u32>> [], field_1: Vec<Top> [nested], rest: Part [nested rest] }
            202 Variant202 [] { field_0: String [], field_1: OwnedFd [fd] }
            221 Variant221 [] {  }
            376 Variant376 [extensible] { field_0: bool [], field_1: Vec<OwnedFd> [fd] }
        }
        enum Part {
            80 Variant80 [extensible] { field_0: String [], field_1: Option<Box<Top>> [nested], field_2: Option<OwnedFd> [fd] }
            146 Variant146 [] { field_0: bool [], field_1: Leaf [nested], field_2: bool [], field_3: u32 [default] }
            244 Variant244 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: u32 [], field_2: OwnedFd [fd], field_3: Vec<OwnedFd> [fd default], field_4: Option<Box<Top>> [nested default] }
            280 Variant280 [extensible] { field_0: Vec<Part> [nested], field_1: Vec<OwnedFd> [fd], field_2: OwnedFd [fd] }
        }
        enum Leaf [other (Unknown<'static>)] {
            146 Variant146 [extensible] {  }
            300 Variant300 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested], field_1: Option<Box<Leaf>> [nested default], field_2: Vec<OwnedFd> [fd default] }
            320 Variant320 [extensible] { field_0: Option<Box<Part>> [nested], field_1: OwnedFd [fd], field_2: OwnedFd [fd] }
        }
    }

    version! { v3;
        enum Top [other] {
            191 Variant191 [extensible] { field_0: Vec<Middle> [nested], field_1: Vec<Option<Box<Middle>>> [nested], field_2: Box<Middle> [nested], field_3: String [default], field_4: Option<Box<Part>> [nested default] }
            331 Variant331 [extensible] { field_0: u32 [], field_1: Vec<Part> [nested], field_2: Part [nested], field_3: Option<Box<Leaf>> [nested default], field_4: bool [default], field_5: u32 [default], field_6: Vec<Option<Box<Part>>> [nested default] }
            524 Variant524 [] { field_0: bool [default] }
            711 Variant711 [extensible] { field_0: Option<Box<Part>> [nested] }
        }
        enum Middle [other (Unknown<'static>)] {
            37 Variant37 [] { field_0: Vec<Option<u32>> [], field_1: Vec<Top> [nested], rest: Part [nested rest] }
            202 Variant202 [] { field_0: String [], field_1: OwnedFd [fd], field_2: Option<OwnedFd> [fd default] }
            221 Variant221 [] { field_0: Vec<Leaf> [nested default], field_1: Option<OwnedFd> [fd default] }
            376 Variant376 [extensible] { field_0: bool [], field_1: Vec<OwnedFd> [fd], field_2: Vec<OwnedFd> [fd default], field_3: Option<Box<Part>> [nested default] }
            380 Variant380 [extensible] { field_0: Vec<Option<u32>> [] }
        }
        enum Part {
            80 Variant80 [extensible] { field_0: String [], field_1: Option<Box<Top>> [nested], field_2: Option<OwnedFd> [fd] }
            146 Variant146 [] { field_0: bool [], field_1: Leaf [nested], field_2: bool [], field_3: u32 [default] }
            244 Variant244 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: u32 [], field_2: OwnedFd [fd], field_3: Vec<OwnedFd> [fd default], field_4: Option<Box<Top>> [nested default], field_5: Option<Box<Top>> [nested default], field_6: Option<Box<Top>> [nested default] }
            280 Variant280 [extensible] { field_0: Vec<Part> [nested], field_1: Vec<OwnedFd> [fd], field_2: OwnedFd [fd], field_3: Vec<Top> [nested default], field_4: Option<OwnedFd> [fd default] }
        }
        enum Leaf [other (Unknown<'static>)] {
            146 Variant146 [extensible] { field_0: bool [default] }
            300 Variant300 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested], field_1: Option<Box<Leaf>> [nested default], field_2: Vec<OwnedFd> [fd default] }
            320 Variant320 [extensible] { field_0: Option<Box<Part>> [nested], field_1: OwnedFd [fd], field_2: OwnedFd [fd], field_3: Option<Box<Part>> [nested default] }
            340 Variant340 [] {  }
        }
    }
}

pub(crate) mod protocol_1 {
    use super::super::versions::*;

    version! { v1;
        enum Top [other (Unknown<'static>)] {
            6 Variant6 [extensible] { field_0: Vec<Option<Box<Part>>> [nested] }
            132 Variant132 [extensible] {  }
            160 Variant160 [extensible] {  }
        }
        enum Middle [other (Unknown<'static>)] {
            164 Variant164 [extensible] {  }
            300 Variant300 [extensible] { field_0: Option<Box<Part>> [nested] }
        }
        enum Part {
            66 Variant66 [extensible] { field_0: Leaf [nested], field_1: Option<Box<Part>> [nested], field_2: Vec<Top> [nested] }
        }
        enum Leaf {
            115 Variant115 [extensible] { field_0: u32 [], field_1: Option<OwnedFd> [fd], field_2: Vec<OwnedFd> [fd] }
            276 Variant276 [extensible] { field_0: Option<Box<Top>> [nested], field_1: Vec<Option<Box<Part>>> [nested], field_2: Vec<Part> [nested] }
        }
    }

    version! { v2;
        enum Top [other (Unknown<'static>)] {
            6 Variant6 [extensible] { field_0: Vec<Option<Box<Part>>> [nested], field_1: Vec<Top> [nested default], field_2: bool [default] }
            132 Variant132 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested default], field_1: u32 [default] }
            160 Variant160 [extensible] { field_0: Option<Box<Middle>> [nested default] }
            194 Variant194 [] { rest: Middle [nested rest] }
        }
        enum Middle [other (Unknown<'static>)] {
            164 Variant164 [extensible] { field_0: Vec<Option<Box<Middle>>> [nested default], field_1: Vec<OwnedFd> [fd default] }
            300 Variant300 [extensible] { field_0: Option<Box<Part>> [nested], field_1: Option<Box<Leaf>> [nested default] }
            352 Variant352 [extensible] { field_0: Vec<Top> [nested], field_1: String [] }
        }
        enum Part {
            66 Variant66 [extensible] { field_0: Leaf [nested], field_1: Option<Box<Part>> [nested], field_2: Vec<Top> [nested], field_3: u32 [default] }
            266 Variant266 [extensible] { field_0: bool [], field_1: Vec<Option<u32>> [], field_2: Option<Box<Part>> [nested] }
        }
        enum Leaf {
            115 Variant115 [extensible] { field_0: u32 [], field_1: Option<OwnedFd> [fd], field_2: Vec<OwnedFd> [fd] }
            276 Variant276 [extensible] { field_0: Option<Box<Top>> [nested], field_1: Vec<Option<Box<Part>>> [nested], field_2: Vec<Part> [nested], field_3: Option<Box<Part>> [nested default] }
        }
    }

    version! { v3;
        enum Top [other (Unknown<'static>)] {
            6 Variant6 [extensible] { field_0: Vec<Option<Box<Part>>> [nested], field_1: Vec<Top> [nested default], field_2: bool [default], field_3: u32 [default], field_4: Option<Box<Part>> [nested default] }
            132 Variant132 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested default], field_1: u32 [default], field_2: Option<Box<Top>> [nested default], field_3: Option<Box<Leaf>> [nested default] }
            160 Variant160 [extensible] { field_0: Option<Box<Middle>> [nested default], field_1: u32 [default], field_2: Option<Box<Top>> [nested default] }
            194 Variant194 [] { rest: Middle [nested rest] }
        }
        enum Middle [other (Unknown<'static>)] {
            164 Variant164 [extensible] { field_0: Vec<Option<Box<Middle>>> [nested default], field_1: Vec<OwnedFd> [fd default], field_2: Option<Box<Middle>> [nested default] }
            300 Variant300 [extensible] { field_0: Option<Box<Part>> [nested], field_1: Option<Box<Leaf>> [nested default], field_2: u32 [default] }
            352 Variant352 [extensible] { field_0: Vec<Top> [nested], field_1: String [] }
            430 Variant430 [extensible] {  }
        }
        enum Part {
            66 Variant66 [extensible] { field_0: Leaf [nested], field_1: Option<Box<Part>> [nested], field_2: Vec<Top> [nested], field_3: u32 [default] }
            266 Variant266 [extensible] { field_0: bool [], field_1: Vec<Option<u32>> [], field_2: Option<Box<Part>> [nested], field_3: Option<Box<Middle>> [nested default] }
            458 Variant458 [extensible] { field_0: Option<OwnedFd> [fd] }
        }
        enum Leaf {
            115 Variant115 [extensible] { field_0: u32 [], field_1: Option<OwnedFd> [fd], field_2: Vec<OwnedFd> [fd] }
            276 Variant276 [extensible] { field_0: Option<Box<Top>> [nested], field_1: Vec<Option<Box<Part>>> [nested], field_2: Vec<Part> [nested], field_3: Option<Box<Part>> [nested default], field_4: Option<Box<Part>> [nested default], field_5: Option<OwnedFd> [fd default] }
        }
    }
}

pub(crate) mod protocol_2 {
    use super::super::versions::*;

    version! { v1;
        enum Top [other (Unknown<'static>)] {
            106 Variant106 [] { field_0: bool [], field_1: Vec<OwnedFd> [fd], field_2: Option<Box<Part>> [nested] }
            153 Variant153 [extensible] {  }
            167 Variant167 [extensible] { field_0: Vec<Option<u32>> [], field_1: Option<OwnedFd> [fd], field_2: OwnedFd [fd] }
        }
        enum Middle [other] {
            89 Variant89 [extensible] { field_0: String [] }
            227 Variant227 [] {  }
        }
        enum Part [other] {
            18 Variant18 [extensible] { field_0: OwnedFd [fd], field_1: String [], field_2: Vec<OwnedFd> [fd] }
        }
        enum Leaf [other (Unknown<'static>)] {
            54 Variant54 [] { field_0: u32 [], field_1: Option<Box<Middle>> [nested], field_2: Option<Box<Top>> [nested] }
            181 Variant181 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested], field_1: Option<Box<Leaf>> [nested] }
        }
    }

    version! { v2;
        enum Top [other (Unknown<'static>)] {
            106 Variant106 [] { field_0: bool [], field_1: Vec<OwnedFd> [fd], field_2: Option<Box<Part>> [nested], field_3: Vec<Leaf> [nested default], field_4: Option<OwnedFd> [fd default] }
            153 Variant153 [extensible] { field_0: Vec<OwnedFd> [fd default] }
            167 Variant167 [extensible] { field_0: Vec<Option<u32>> [], field_1: Option<OwnedFd> [fd], field_2: OwnedFd [fd], field_3: Option<Box<Part>> [nested default], field_4: Vec<Middle> [nested default] }
            252 Variant252 [extensible] { field_0: Vec<Middle> [nested], field_1: Option<Box<Part>> [nested], field_2: Vec<Middle> [nested] }
        }
        enum Middle [other] {
            89 Variant89 [extensible] { field_0: String [], field_1: Vec<Top> [nested default], field_2: Option<OwnedFd> [fd default] }
            227 Variant227 [] { field_0: Option<Box<Top>> [nested default] }
            363 Variant363 [extensible] { field_0: OwnedFd [fd], field_1: OwnedFd [fd], field_2: bool [] }
        }
        enum Part [other] {
            18 Variant18 [extensible] { field_0: OwnedFd [fd], field_1: String [], field_2: Vec<OwnedFd> [fd] }
        }
        enum Leaf [other (Unknown<'static>)] {
            54 Variant54 [] { field_0: u32 [], field_1: Option<Box<Middle>> [nested], field_2: Option<Box<Top>> [nested] }
            181 Variant181 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested], field_1: Option<Box<Leaf>> [nested] }
        }
    }

    version! { v3;
        enum Top [other (Unknown<'static>)] {
            106 Variant106 [] { field_0: bool [], field_1: Vec<OwnedFd> [fd], field_2: Option<Box<Part>> [nested], field_3: Vec<Leaf> [nested default], field_4: Option<OwnedFd> [fd default] }
            153 Variant153 [extensible] { field_0: Vec<OwnedFd> [fd default] }
            167 Variant167 [extensible] { field_0: Vec<Option<u32>> [], field_1: Option<OwnedFd> [fd], field_2: OwnedFd [fd], field_3: Option<Box<Part>> [nested default], field_4: Vec<Middle> [nested default], field_5: Vec<Option<Box<Leaf>>> [nested default] }
            252 Variant252 [extensible] { field_0: Vec<Middle> [nested], field_1: Option<Box<Part>> [nested], field_2: Vec<Middle> [nested], field_3: Option<Box<Part>> [nested default] }
            282 Variant282 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: Vec<Option<Box<Leaf>>> [nested], field_2: Box<Middle> [nested] }
        }
        enum Middle [other] {
            89 Variant89 [extensible] { field_0: String [], field_1: Vec<Top> [nested default], field_2: Option<OwnedFd> [fd default], field_3: Option<Box<Part>> [nested default] }
            227 Variant227 [] { field_0: Option<Box<Top>> [nested default], field_1: bool [default] }
            363 Variant363 [extensible] { field_0: OwnedFd [fd], field_1: OwnedFd [fd], field_2: bool [], field_3: Vec<OwnedFd> [fd default] }
            428 Variant428 [] {  }
        }
        enum Part [other] {
            18 Variant18 [extensible] { field_0: OwnedFd [fd], field_1: String [], field_2: Vec<OwnedFd> [fd], field_3: Option<Box<Leaf>> [nested default], field_4: Option<Box<Part>> [nested default] }
            22 Variant22 [extensible] { field_0: Option<OwnedFd> [fd], field_1: Vec<Option<u32>> [], field_2: Option<Box<Top>> [nested] }
        }
        enum Leaf [other (Unknown<'static>)] {
            54 Variant54 [] { field_0: u32 [], field_1: Option<Box<Middle>> [nested], field_2: Option<Box<Top>> [nested], field_3: Option<Box<Part>> [nested default], field_4: Vec<Option<u32>> [default] }
            181 Variant181 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested], field_1: Option<Box<Leaf>> [nested], field_2: Vec<Top> [nested default] }
        }
    }
}

pub(crate) mod protocol_3 {
    use super::super::versions::*;

    version! { v1;
        enum Top [other] {
            85 Variant85 [extensible] { field_0: u32 [], field_1: Box<Part> [nested], field_2: Vec<Option<Box<Part>>> [nested] }
            148 Variant148 [extensible] { field_0: u32 [] }
            309 Variant309 [] { field_0: Vec<Option<u32>> [], field_1: Vec<Option<u32>> [] }
        }
        enum Middle [other] {
            117 Variant117 [extensible] { field_0: Vec<Option<u32>> [], field_1: Box<Part> [nested] }
            314 Variant314 [extensible] { field_0: Box<Part> [nested] }
        }
        enum Part {
            190 Variant190 [extensible] {  }
            198 Variant198 [extensible] { field_0: Vec<Option<Box<Top>>> [nested], field_1: bool [], field_2: u32 [] }
            310 Variant310 [extensible] { field_0: OwnedFd [fd], field_1: Leaf [nested] }
        }
        enum Leaf [other (Unknown<'static>)] {
            152 Variant152 [extensible] {  }
            247 Variant247 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested], field_1: Vec<OwnedFd> [fd], field_2: Vec<OwnedFd> [fd] }
        }
    }

    version! { v2;
        enum Top [other] {
            85 Variant85 [extensible] { field_0: u32 [], field_1: Box<Part> [nested], field_2: Vec<Option<Box<Part>>> [nested] }
            148 Variant148 [extensible] { field_0: u32 [] }
            309 Variant309 [] { field_0: Vec<Option<u32>> [], field_1: Vec<Option<u32>> [], field_2: Option<Box<Middle>> [nested default], field_3: Vec<OwnedFd> [fd default] }
        }
        enum Middle [other] {
            117 Variant117 [extensible] { field_0: Vec<Option<u32>> [], field_1: Box<Part> [nested], field_2: Vec<Option<u32>> [default], field_3: Option<Box<Middle>> [nested default] }
            314 Variant314 [extensible] { field_0: Box<Part> [nested], field_1: Option<Box<Leaf>> [nested default] }
            436 Variant436 [extensible] { field_0: Vec<Option<Box<Top>>> [nested], field_1: String [], field_2: OwnedFd [fd] }
        }
        enum Part {
            190 Variant190 [extensible] { field_0: Option<OwnedFd> [fd default] }
            198 Variant198 [extensible] { field_0: Vec<Option<Box<Top>>> [nested], field_1: bool [], field_2: u32 [], field_3: String [default] }
            310 Variant310 [extensible] { field_0: OwnedFd [fd], field_1: Leaf [nested] }
        }
        enum Leaf [other (Unknown<'static>)] {
            152 Variant152 [extensible] { field_0: Vec<Option<Box<Part>>> [nested default] }
            247 Variant247 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested], field_1: Vec<OwnedFd> [fd], field_2: Vec<OwnedFd> [fd] }
        }
    }

    version! { v3;
        enum Top [other] {
            85 Variant85 [extensible] { field_0: u32 [], field_1: Box<Part> [nested], field_2: Vec<Option<Box<Part>>> [nested] }
            148 Variant148 [extensible] { field_0: u32 [] }
            309 Variant309 [] { field_0: Vec<Option<u32>> [], field_1: Vec<Option<u32>> [], field_2: Option<Box<Middle>> [nested default], field_3: Vec<OwnedFd> [fd default], field_4: Option<Box<Part>> [nested default], field_5: Vec<OwnedFd> [fd default] }
            370 Variant370 [extensible] { field_0: u32 [], field_1: Middle [nested] }
        }
        enum Middle [other] {
            117 Variant117 [extensible] { field_0: Vec<Option<u32>> [], field_1: Box<Part> [nested], field_2: Vec<Option<u32>> [default], field_3: Option<Box<Middle>> [nested default], field_4: u32 [default] }
            314 Variant314 [extensible] { field_0: Box<Part> [nested], field_1: Option<Box<Leaf>> [nested default], field_2: Option<OwnedFd> [fd default] }
            436 Variant436 [extensible] { field_0: Vec<Option<Box<Top>>> [nested], field_1: String [], field_2: OwnedFd [fd] }
        }
        enum Part {
            190 Variant190 [extensible] { field_0: Option<OwnedFd> [fd default], field_1: Option<Box<Top>> [nested default] }
            198 Variant198 [extensible] { field_0: Vec<Option<Box<Top>>> [nested], field_1: bool [], field_2: u32 [], field_3: String [default] }
            310 Variant310 [extensible] { field_0: OwnedFd [fd], field_1: Leaf [nested], field_2: u32 [default], field_3: Option<Box<Part>> [nested default] }
        }
        enum Leaf [other (Unknown<'static>)] {
            152 Variant152 [extensible] { field_0: Vec<Option<Box<Part>>> [nested default], field_1: String [default] }
            247 Variant247 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested], field_1: Vec<OwnedFd> [fd], field_2: Vec<OwnedFd> [fd] }
            446 Variant446 [extensible] { field_0: Vec<Option<u32>> [], field_1: OwnedFd [fd] }
        }
    }
}

pub(crate) mod protocol_4 {
    use super::super::versions::*;

    version! { v1;
        enum Top [other] {
            48 Variant48 [extensible] {  }
        }
        enum Middle [other (Unknown<'static>)] {
            177 Variant177 [extensible] { field_0: bool [], field_1: Vec<Option<Box<Part>>> [nested], field_2: Vec<Option<u32>> [] }
            295 Variant295 [] { field_0: Part [nested], field_1: Vec<OwnedFd> [fd], field_2: Option<OwnedFd> [fd], rest: Part [nested rest] }
            408 Variant408 [] { field_0: Vec<Option<u32>> [], rest: Part [nested rest] }
        }
        enum Part [other (Unknown<'static>)] {
            192 Variant192 [extensible] { field_0: Box<Leaf> [nested], field_1: Option<Box<Part>> [nested] }
            267 Variant267 [] { field_0: Option<OwnedFd> [fd] }
            335 Variant335 [extensible] { field_0: u32 [], field_1: OwnedFd [fd] }
        }
        enum Leaf [other] {
            183 Variant183 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: Vec<Option<Box<Part>>> [nested], field_2: Option<Box<Top>> [nested] }
            217 Variant217 [extensible] { field_0: Option<Box<Middle>> [nested], field_1: Vec<Middle> [nested], field_2: String [] }
        }
    }

    version! { v2;
        enum Top [other] {
            48 Variant48 [extensible] {  }
            95 Variant95 [extensible] { field_0: bool [] }
        }
        enum Middle [other (Unknown<'static>)] {
            177 Variant177 [extensible] { field_0: bool [], field_1: Vec<Option<Box<Part>>> [nested], field_2: Vec<Option<u32>> [], field_3: Vec<Option<Box<Part>>> [nested default], field_4: Vec<Option<Box<Top>>> [nested default] }
            295 Variant295 [] { field_0: Part [nested], field_1: Vec<OwnedFd> [fd], field_2: Option<OwnedFd> [fd], rest: Part [nested rest] }
            408 Variant408 [] { field_0: Vec<Option<u32>> [], rest: Part [nested rest] }
        }
        enum Part [other (Unknown<'static>)] {
            192 Variant192 [extensible] { field_0: Box<Leaf> [nested], field_1: Option<Box<Part>> [nested] }
            267 Variant267 [] { field_0: Option<OwnedFd> [fd], field_1: u32 [default], field_2: Option<Box<Part>> [nested default] }
            335 Variant335 [extensible] { field_0: u32 [], field_1: OwnedFd [fd], field_2: Option<Box<Part>> [nested default], field_3: Option<Box<Part>> [nested default] }
        }
        enum Leaf [other] {
            183 Variant183 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: Vec<Option<Box<Part>>> [nested], field_2: Option<Box<Top>> [nested], field_3: Vec<OwnedFd> [fd default], field_4: u32 [default] }
            217 Variant217 [extensible] { field_0: Option<Box<Middle>> [nested], field_1: Vec<Middle> [nested], field_2: String [] }
            363 Variant363 [extensible] { field_0: Option<OwnedFd> [fd], field_1: Vec<Option<Box<Middle>>> [nested], field_2: bool [] }
        }
    }

    version! { v3;
        enum Top [other] {
            48 Variant48 [extensible] {  }
            95 Variant95 [extensible] { field_0: bool [] }
            221 Variant221 [extensible] { field_0: Middle [nested], field_1: String [], field_2: u32 [] }
        }
        enum Middle [other (Unknown<'static>)] {
            177 Variant177 [extensible] { field_0: bool [], field_1: Vec<Option<Box<Part>>> [nested], field_2: Vec<Option<u32>> [], field_3: Vec<Option<Box<Part>>> [nested default], field_4: Vec<Option<Box<Top>>> [nested default], field_5: Vec<OwnedFd> [fd default] }
            295 Variant295 [] { field_0: Part [nested], field_1: Vec<OwnedFd> [fd], field_2: Option<OwnedFd> [fd], rest: Part [nested rest] }
            408 Variant408 [] { field_0: Vec<Option<u32>> [], rest: Part [nested rest] }
        }
        enum Part [other (Unknown<'static>)] {
            192 Variant192 [extensible] { field_0: Box<Leaf> [nested], field_1: Option<Box<Part>> [nested], field_2: Option<Box<Part>> [nested default] }
            267 Variant267 [] { field_0: Option<OwnedFd> [fd], field_1: u32 [default], field_2: Option<Box<Part>> [nested default], field_3: Vec<OwnedFd> [fd default] }
            335 Variant335 [extensible] { field_0: u32 [], field_1: OwnedFd [fd], field_2: Option<Box<Part>> [nested default], field_3: Option<Box<Part>> [nested default], field_4: Option<Box<Top>> [nested default] }
            403 Variant403 [extensible] {  }
        }
        enum Leaf [other] {
            183 Variant183 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: Vec<Option<Box<Part>>> [nested], field_2: Option<Box<Top>> [nested], field_3: Vec<OwnedFd> [fd default], field_4: u32 [default] }
            217 Variant217 [extensible] { field_0: Option<Box<Middle>> [nested], field_1: Vec<Middle> [nested], field_2: String [] }
            363 Variant363 [extensible] { field_0: Option<OwnedFd> [fd], field_1: Vec<Option<Box<Middle>>> [nested], field_2: bool [], field_3: Vec<Middle> [nested default] }
            454 Variant454 [extensible] { field_0: Option<OwnedFd> [fd] }
        }
    }
}

pub(crate) mod protocol_5 {
    use super::super::versions::*;

    version! { v1;
        enum Top {
            186 Variant186 [] { field_0: bool [], field_1: u32 [] }
            369 Variant369 [extensible] { field_0: Vec<Option<Box<Part>>> [nested], field_1: Option<OwnedFd> [fd], field_2: Option<OwnedFd> [fd] }
            450 Variant450 [extensible] {  }
        }
        enum Middle [other] {
            132 Variant132 [extensible] { field_0: Leaf [nested] }
            316 Variant316 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: Option<Box<Leaf>> [nested] }
        }
        enum Part [other] {
            84 Variant84 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: bool [], field_2: OwnedFd [fd] }
            85 Variant85 [] { rest: Leaf [nested rest] }
        }
        enum Leaf [other (Unknown<'static>)] {
            40 Variant40 [extensible] { field_0: Vec<Option<u32>> [], field_1: Option<Box<Middle>> [nested], field_2: String [] }
            204 Variant204 [extensible] { field_0: Vec<OwnedFd> [fd] }
        }
    }

    version! { v2;
        enum Top {
            186 Variant186 [] { field_0: bool [], field_1: u32 [] }
            369 Variant369 [extensible] { field_0: Vec<Option<Box<Part>>> [nested], field_1: Option<OwnedFd> [fd], field_2: Option<OwnedFd> [fd] }
            450 Variant450 [extensible] { field_0: Option<Box<Part>> [nested default], field_1: Option<Box<Part>> [nested default] }
            567 Variant567 [extensible] { field_0: String [] }
        }
        enum Middle [other] {
            132 Variant132 [extensible] { field_0: Leaf [nested], field_1: Option<Box<Part>> [nested default], field_2: Vec<Option<Box<Top>>> [nested default] }
            316 Variant316 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: Option<Box<Leaf>> [nested], field_2: Vec<OwnedFd> [fd default], field_3: Option<Box<Top>> [nested default] }
            453 Variant453 [extensible] { field_0: Option<Box<Top>> [nested], field_1: Box<Part> [nested] }
        }
        enum Part [other] {
            84 Variant84 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: bool [], field_2: OwnedFd [fd] }
            85 Variant85 [] { rest: Leaf [nested rest] }
        }
        enum Leaf [other (Unknown<'static>)] {
            40 Variant40 [extensible] { field_0: Vec<Option<u32>> [], field_1: Option<Box<Middle>> [nested], field_2: String [], field_3: Option<Box<Top>> [nested default] }
            204 Variant204 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: Option<Box<Top>> [nested default] }
        }
    }

    version! { v3;
        enum Top {
            186 Variant186 [] { field_0: bool [], field_1: u32 [] }
            369 Variant369 [extensible] { field_0: Vec<Option<Box<Part>>> [nested], field_1: Option<OwnedFd> [fd], field_2: Option<OwnedFd> [fd] }
            450 Variant450 [extensible] { field_0: Option<Box<Part>> [nested default], field_1: Option<Box<Part>> [nested default] }
            567 Variant567 [extensible] { field_0: String [], field_1: Option<Box<Middle>> [nested default], field_2: Vec<Option<Box<Leaf>>> [nested default] }
            676 Variant676 [extensible] { field_0: Vec<Option<Box<Leaf>>> [nested] }
        }
        enum Middle [other] {
            132 Variant132 [extensible] { field_0: Leaf [nested], field_1: Option<Box<Part>> [nested default], field_2: Vec<Option<Box<Top>>> [nested default], field_3: Option<Box<Top>> [nested default], field_4: Option<Box<Leaf>> [nested default] }
            316 Variant316 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: Option<Box<Leaf>> [nested], field_2: Vec<OwnedFd> [fd default], field_3: Option<Box<Top>> [nested default], field_4: Option<Box<Middle>> [nested default] }
            453 Variant453 [extensible] { field_0: Option<Box<Top>> [nested], field_1: Box<Part> [nested], field_2: Option<OwnedFd> [fd default] }
            558 Variant558 [extensible] { field_0: Option<OwnedFd> [fd], field_1: Vec<Option<Box<Part>>> [nested], field_2: Option<OwnedFd> [fd] }
        }
        enum Part [other] {
            84 Variant84 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: bool [], field_2: OwnedFd [fd], field_3: Option<Box<Top>> [nested default] }
            85 Variant85 [] { rest: Leaf [nested rest] }
        }
        enum Leaf [other (Unknown<'static>)] {
            40 Variant40 [extensible] { field_0: Vec<Option<u32>> [], field_1: Option<Box<Middle>> [nested], field_2: String [], field_3: Option<Box<Top>> [nested default], field_4: u32 [default], field_5: String [default] }
            204 Variant204 [extensible] { field_0: Vec<OwnedFd> [fd], field_1: Option<Box<Top>> [nested default] }
        }
    }
}
