/* Scripts of every kind and near miss in the bundled regtest chain, with what the full node that wrote it (29.4, RPC
 * getblock) says of each: its `type`, and whether it has an `address`. */
static const struct {
    const char *name;
    const char *type;
    int has_address;
    const char *hex;
} vectors[] = {
    {"2drop_pushdata4", "nonstandard", 0,
     "4e1e0000009fc2604b9e0045457d23a01845b2a5dc0070eb174c082fd0283445326e86006d51"},
    {"all_zero_30", "nonstandard", 0, "000000000000000000000000000000000000000000000000000000000000"},
    {"cltv_p2pkh", "nonstandard", 0, "56b17576a914a900d61c22b01276f285864a7325fe3e70c28f5f88ac"},
    {"cltv_true", "nonstandard", 0, "016db17551"},
    {"csv_p2pk", "nonstandard", 0, "51b275210357e253d28fe64e5ba3cfa0d6ab4a1f58c602b574c27533fa6ad456ae0c65e97dac"},
    {"csv_p2pkh", "nonstandard", 0, "54b27576a91432cc8cde082552fcc022fec876bded555e28a20388ac"},
    {"depth", "nonstandard", 0, "7487"},
    {"disabled_cat", "nonstandard", 0, "51517e"},
    {"drop_data", "nonstandard", 0, "0262b07551"},
    {"drop_data_checksig", "nonstandard", 0,
     "289abf6527d32082a997b9a661b5cd843730b7838a83c0a4b4df2d8f26bb2f9bbd89bce28422d10da3752102eb9150c015f24757"
     "805531c8dbfc85641937b4fabb658d26d34f205c77ec0329ac"},
    {"empty", "nonstandard", 0, ""},
    {"htlc_like", "nonstandard", 0,
     "63a8208129fd5e0168a3cf748f764c91722e34ac0c5c1703a5a77120b62f40dc9a77738876a914a900d61c22b01276f285864a73"
     "25fe3e70c28f5f67025304b17576a914a544c20e4ca978f330070dd09ca7369ea503b62f6888ac"},
    {"if_cltv_else", "nonstandard", 0,
     "6303a68601b1752103dc89e34a90b481ac250aa3b7b3d6fd6c263a786c0b6d2c4a8edb71002b1262faac672103ae7be0ecdafc46"
     "5b7cf474201c2d0f72816de8e1967b63c3d0ecef24ab0f9a2aac68"},
    {"if_else_checksig", "nonstandard", 0,
     "632103b5db2c81e9cfc2faddec731296f7270e8457fb432acda8dafc6f9fe6c36a2d6467210275e08bc3b356f29c506f540e32cc"
     "2f5f6fcad761868ffed343845db40d4a54be68ac"},
    {"invalid_ba", "nonstandard", 0, "babbbc"},
    {"invalid_ff", "nonstandard", 0, "ff"},
    {"invalid_op_in_dead_branch", "nonstandard", 0, "0063baff506851"},
    {"many_small_pushes", "nonstandard", 0, "016501f1031fd5fd03de5dfa01060329c1b451"},
    {"ms_0of0", "nonstandard", 0, "0000ae"},
    {"ms_0of1", "nonstandard", 0, "002103490d4ec77bf90aee187643c8fdc4c9dbc8014e744982edb0cef13948b578c40851ae"},
    {"ms_1of1", "multisig", 0, "51210315d5b7c7b8d0a50b44a9cb973d5f00b8925b20a0b10b6065ea917cdaea3359d851ae"},
    {"ms_1of2", "multisig", 0,
     "512103abc2877cd6e29c0b71befc580102a4ec844a22b676bcd10b5e29f34025aa61692102d5c4966a795b34be5f662f6667ce71"
     "f30c850c1aeda8ae4ac0a04e35093d046452ae"},
    {"ms_1of2_fake_key", "multisig", 0,
     "512103bc49b6ee7c7023acfc569a5b59e08b2026c11f5ddefcd7fa4c7036acdeae1e18210218e342a42f144f14b71a12fb12c978"
     "253544b590d32169f76c5765aa6632231852ae"},
    {"ms_1of2_hybrid_key", "multisig", 0,
     "51410796efeae4b7462ebf8a8952b8abe80457d4af2837d6171262d25522f277448cabd200b28cf29013ded86fd4b48ea681d9f4"
     "0d9305c3a4c05c4a440ae771db8f772102762f6bc7c60dfb4abd169778463bd00b0ecb6d2a86bf441154e9c1591e8f555a52ae"},
    {"ms_1of2_mixed_cu", "multisig", 0,
     "514104aa73d410fcbcabf98693d1be794921d5f8e8e1247b0c20e44c8f8c4847161455b8b366096dca9ac0ac7d39143457ea9965"
     "47904a507585245fa26f9281bc6c1b21033c4beb54d65fca8f330571dd8dc7655ebeefa10ab0d0315e69493383d2223e9852ae"},
    {"ms_1of3", "multisig", 0,
     "51210315d5b7c7b8d0a50b44a9cb973d5f00b8925b20a0b10b6065ea917cdaea3359d8210216f9b2aa244edd45e31c0ca9b4faa9"
     "c528e0e9c66281a27f2992b66096a27983210354b44dddf057bad4b9183a1f85d1fbfa6b18950a5bf79ced9f4d49b714b2673253"
     "ae"},
    {"ms_1of3_fake_65", "multisig", 0,
     "5121035bae55b346953a0536fef0af90a33d484a922005db8828b8f09bb7a9cf9e640441042c8671c9d4c3dfa3463cedfe98ac96"
     "fb194504b3fedd9734e3fddde9d1bfa2e1ce90612203ff9b8a082d7a89f556c7bc8e0e575fcd55b7f040dca27106b350df4104c8"
     "5ed3cba5b206ef41f11c12a06198f33bf1f903b856e9bfa60e629a507e2e37af7c3b463cdf1bb760b8d2ea44381f63d64e2a735e"
     "0a1a562a0a429363cf288d53ae"},
    {"ms_1of3_two_fake_data", "multisig", 0,
     "5121033af4b7cf418317f11ebf7c21107733a157474055048ce88668d3dc0215ab727a2102785d2d9d3cc785674bfab768db0e50"
     "e8a33568bc28e87b94322e8e1d46b52cc52102deabfe642ecf6838e59959c2e56ce1759f81020e927632d0456f49c4ea06868b53"
     "ae"},
    {"ms_2of2", "multisig", 0,
     "522103c53a3479e067f37a394632de44b9e05858c6bc4221cda55939b2bb5206ea255e210345f2ac38946091f82839986f1161e3"
     "934c9b56f9091a8958a38deed39b98651352ae"},
    {"ms_2of3", "multisig", 0,
     "522102762f6bc7c60dfb4abd169778463bd00b0ecb6d2a86bf441154e9c1591e8f555a2103f38aaebccb29330843c229771fcacf"
     "372b068efd90fc6909b08f289fe308a81e2102adc00d21485ccfa0dc692c6ae597e5b3cbd4ad92e19483d757f63cbb8813406353"
     "ae"},
    {"ms_2of3_uncompressed", "multisig", 0,
     "524104762f6bc7c60dfb4abd169778463bd00b0ecb6d2a86bf441154e9c1591e8f555abaee185785c322349ef1748d4c945d2468"
     "8c4b51a61feb28ad8ae30298f3d4904104e057eb341f1a0b4bec3303fdcfdf29a6539fff2c1eb5db77d81e074fa543ab9aadd817"
     "29e29a9621f46c93b3ffea7c9689b35a690b99bf774b5e4ecf614967454104c6ad460ccd42e96eccfc31d31f73230cc9e90af4fa"
     "855addc5a5140f7815a78edc53178bba316d04e23467d0a1e4b403d067a93231c1d1b7a7837a3cabd24c8353ae"},
    {"ms_2of5", "multisig", 0,
     "522103aa73d410fcbcabf98693d1be794921d5f8e8e1247b0c20e44c8f8c48471614552102deabfe642ecf6838e59959c2e56ce1"
     "759f81020e927632d0456f49c4ea06868b2103c6ad460ccd42e96eccfc31d31f73230cc9e90af4fa855addc5a5140f7815a78e21"
     "0357e253d28fe64e5ba3cfa0d6ab4a1f58c602b574c27533fa6ad456ae0c65e97d21022e21a4b5b305e2fe09f4ce7d452d4d37c0"
     "88ffb08b2d3a92b1a1a2c95f2d001a55ae"},
    {"ms_3of3", "multisig", 0,
     "53210354b44dddf057bad4b9183a1f85d1fbfa6b18950a5bf79ced9f4d49b714b267322102b1b1cc4986a85b7f077c07d8c0ad15"
     "1a12f9997fdebecb5c532c4e7ab477473221033504768837fa95d30fdc6b518f34cd998e297a9de36373c14bc113e9cccee49c53"
     "ae"},
    {"ms_all_fake", "multisig", 0,
     "5121024b55ed8f72f3eb53627bca637b81b5e21a8c77fcfe20543927f93fdf012c4373210310fcb6c99fdbe462fd16b742f745b2"
     "8f8a130a3b263a498d3655d87eeb5eb2352102ffc1aa1db8d380848ef0798a012433fbdaf977c2bb440eae010f598c87ce523053"
     "ae"},
    {"ms_fake_hybrid_65", "multisig", 0,
     "514106b6cd46c8b82004e9f43a6b0b124020fe124f578e0b9022e1238fbd7c3334a22e96a29ce260f1c10331471cba113db870c5"
     "3935d881b8047af3f50226a0fce53151ae"},
    {"ms_key_pushdata1", "multisig", 0,
     "514c2102eb9150c015f24757805531c8dbfc85641937b4fabb658d26d34f205c77ec03294c2103e057eb341f1a0b4bec3303fdcf"
     "df29a6539fff2c1eb5db77d81e074fa543ab9a52ae"},
    {"ms_key_wrong_size", "nonstandard", 0,
     "512102e4272d178a2de547872390ca1eb169791ed0e0afc8ffa24cf455ed197bf99ba22028688416cf95152419bd8921f7883826"
     "a4629ac55f6c521b21cf5f52884de1cc52ae"},
    {"ms_m_gt_n", "nonstandard", 0,
     "5321022c5bda67cc76e3a9156ab53f6af6416560d97fd213eb8d78545dff37c90bbb0221033c4beb54d65fca8f330571dd8dc765"
     "5ebeefa10ab0d0315e69493383d2223e9852ae"},
    {"ms_m_not_opn", "nonstandard", 0,
     "01012102ff207085b0ff9db47edc703d904939607da552f1d6914de84f4b1f88c68293a5210345f2ac38946091f82839986f1161"
     "e3934c9b56f9091a8958a38deed39b98651352ae"},
    {"ms_n_not_opn", "nonstandard", 0,
     "51210396efeae4b7462ebf8a8952b8abe80457d4af2837d6171262d25522f277448cab21033504768837fa95d30fdc6b518f34cd"
     "998e297a9de36373c14bc113e9cccee49c0102ae"},
    {"ms_n_too_big", "nonstandard", 0,
     "512102d9778f50824faaa4df686962dbd1d852b8a659a6bbde8ad1a4cd0231052a3da62103f6848f290f4c35bdf5194955052a8c"
     "616466656bea2661a2f928cb83aa3d44c853ae"},
    {"ms_n_too_small", "nonstandard", 0,
     "5221037535c61d357baa781b0cab72326b0fcae66e14ad6cb934960c009a5439b1220721023bb61e86416c2423542380333eeced"
     "5faa08bba55c407b00882099267402806851ae"},
    {"ms_negative_m", "nonstandard", 0, "4f2103f6848f290f4c35bdf5194955052a8c616466656bea2661a2f928cb83aa3d44c851ae"},
    {"ms_no_keys_1of1", "nonstandard", 0, "5151ae"},
    {"ms_prefix05_key", "nonstandard", 0, "5121054adcef34cecdf4255ae471e25ce712a4caad9bde9a412f991dfe15b6be57e65a51ae"},
    {"ms_trailing_nop", "nonstandard", 0,
     "51210357e253d28fe64e5ba3cfa0d6ab4a1f58c602b574c27533fa6ad456ae0c65e97d51ae61"},
    {"ms_truncated", "nonstandard", 0,
     "512103b3cfd0d2945948c5b1610d2a10f7b782f85a1c6d2f61d606ca7d7083c241fe44210320102fa6c566ea14a11a893445b36c"
     "82e1ab77"},
    {"ms_verify", "nonstandard", 0, "512102ff207085b0ff9db47edc703d904939607da552f1d6914de84f4b1f88c68293a551af51"},
    {"nop10", "nonstandard", 0, "b9"},
    {"nop_only", "nonstandard", 0, "61"},
    {"notif", "nonstandard", 0, "6451670068"},
    {"op_16", "nonstandard", 0, "60"},
    {"op_1negate", "nonstandard", 0, "4f"},
    {"op_add", "nonstandard", 0, "93579c"},
    {"op_false", "nonstandard", 0, "00"},
    {"op_false_op_return", "nonstandard", 0, "006a0c14da890db839696dbaf6abff"},
    {"op_reserved", "nonstandard", 0, "50"},
    {"op_return_20", "nulldata", 0, "6a1483a781d7769cd468445ac575dce2999d19c20ff8"},
    {"op_return_220", "nulldata", 0,
     "6a4cdc112eca181bdfd4ea132ed3de08f07520170ec0cca984bebcd8166d413cfec8f7d4ec2abdac3836de4d36ba26295651631e"
     "27b8889004e43554b162a49fd6e0007ad33488fccd46b2410cd60205eb9710c1e4c38248e409f9b9b2914dd9b8df08afb6ba5a8e"
     "d812056831268b6fb26c61c88721b53c21279c27cedb5a08866a7ce08087b882d7c289824d6c205c87c6b875fe361de55eac38e6"
     "c1339d395ad7438f6b1d25d0ec7286a3b6d86461041f48e72d91352f998fea78849371ca8b11150cac1fba62ae06813cf59d21d3"
     "8f9a635be21898c13eef3e201f8e35"},
    {"op_return_40", "nulldata", 0,
     "6a28c151dbb83b85a99bd7776c54c50de579f8736aa138c5c7048434ea19bf17b1ed1c9936d72803f7b9"},
    {"op_return_75", "nulldata", 0,
     "6a4b746e4453bc7c4a4d458c2325fa1b1515974836f128eba18901b79732adccef32a7515fef0100b048ef05d828a43b0c31e7ea"
     "f7b10840203e30912a24edf75c021a9b8b381b1c145febce0d"},
    {"op_return_76", "nulldata", 0,
     "6a4c4cb468bdded864a35f1cc33dd8b6aa95bbda43c1f1f98d4cc03e0d2c370bcfa1f6119c48344ab8750283859b0b4dd80f0bfe"
     "41d47173d0b71e7b99ad81e2598fd1d1c865f483264ca7732461e8"},
    {"op_return_80", "nulldata", 0,
     "6a4c509d5523e1033e13056bb822118da36af520de5975e0ce5ca57a95b83c244e57d8ba107ffade7a85383abd20cd3e54b1fbce"
     "73d21171d171216250ccfafad23ac0c9327e7131dcd4675c689b6fa63d5b94"},
    {"op_return_81", "nulldata", 0,
     "6a4c512a24ba0867b517527c9032872495e43e8c7f35a44f2804d235a83110aa9f1a20b9ee9f86e496b0c1c11833fc9d7055cf7b"
     "f9fce11d35ad03005e049fe5f8e85c69c42cab8585e8003a748b5d397cd69311"},
    {"op_return_83", "nulldata", 0,
     "6a4c53463b349fcae59cb210a016d683c57556b8b17ecb91cdf033c06aec67fc5bc89f36edbe137e98809fa4262bb85de9714632"
     "9c443895f8ae60235a93ac7645a8d4a7cac1a1b222205e4be98eab511179c8b07582"},
    {"op_return_commitment_lookalike", "nulldata", 0,
     "6a24aa21a9eddde7e34801790521d6bd98863639bf9a5a873301db82cc706d3d7763081d8fda"},
    {"op_return_empty", "nulldata", 0, "6a"},
    {"op_return_in_dead_branch", "nonstandard", 0, "00636a6851"},
    {"op_return_many_pushes", "nulldata", 0, "6a02d4190a9b2dadd0e3f59fb7dd34"},
    {"op_return_non_push", "nonstandard", 0, "6a046de7cbfaac"},
    {"op_return_omni", "nulldata", 0, "6a146f6d6e69000000000000005e00000000316afb4e"},
    {"op_return_op0", "nulldata", 0, "6a00"},
    {"op_return_op_return", "nonstandard", 0, "6a6a"},
    {"op_return_opcodes_text", "nonstandard", 0, "6a72617720746578742c206e6f2070757368"},
    {"op_return_opn_pushes", "nulldata", 0, "6a51604f0002aabb"},
    {"op_return_pushdata2_nonminimal", "nulldata", 0, "6a4d040042005c30"},
    {"op_return_pushdata4_nonminimal", "nulldata", 0, "6a4e04000000f7a53c1e"},
    {"op_return_reserved", "nulldata", 0, "6a50"},
    {"op_return_runes", "nulldata", 0, "6a5d045f3d228c"},
    {"op_return_runes_no_push", "nulldata", 0, "6a5d"},
    {"op_return_text", "nulldata", 0, "6a1768656c6c6f2066726f6d20726567746573742033373132"},
    {"op_return_truncated", "nonstandard", 0, "6a05aa"},
    {"op_return_truncated_pd1", "nonstandard", 0, "6a4c"},
    {"op_return_truncated_pd1_data", "nonstandard", 0, "6a4cff616263"},
    {"op_return_truncated_pd2", "nonstandard", 0, "6a4dff"},
    {"op_return_truncated_pd4", "nonstandard", 0, "6a4effffffff"},
    {"op_true", "nonstandard", 0, "51"},
    {"op_true_op_return", "nonstandard", 0, "516a"},
    {"op_verif", "nonstandard", 0, "51636568"},
    {"p2a", "anchor", 1, "51024e73"},
    {"p2a_pushdata1", "nonstandard", 0, "514c024e73"},
    {"p2pk_c", "pubkey", 0, "2103017e198c3dff9c374908bbdfc57c948d1eb1074e2b69d82b81b4618bdc1c2ff0ac"},
    {"p2pk_checksigverify", "nonstandard", 0,
     "2102adc00d21485ccfa0dc692c6ae597e5b3cbd4ad92e19483d757f63cbb88134063ad51"},
    {"p2pk_hybrid", "pubkey", 0,
     "410661d003cff55a959e4776b6e817bc46d208c312eb63ef8342f218fccafc0d436dfdf2401d46c0713c8d0db574405472def15a"
     "249941104cd2ccf292e33f3add1aac"},
    {"p2pk_hybrid_bad_parity", "pubkey", 0,
     "4106013bd61aa3fa0b427bf24564d0d314bf9c060feb3d563de8e68e464e7d2ffb9c904168f3f20460b5774b8bdafd1b16f0b165"
     "1d942894f2fd4b2f0b119748a283ac"},
    {"p2pk_hybrid_off_curve", "pubkey", 0,
     "4107ceb57671bdb28e5842eb51368ebc1dc40dab740b359a4916e20d7bd6afa48e0f1745ac65688acb528eba7a94dd50bc4a7839"
     "977dcc243ea17b75ffc077e53b7aac"},
    {"p2pk_off_curve_c", "pubkey", 0, "2103abc3902a2939ffdc4af9b3f76e19a841a8db96b1e2164773d0a5d96cf443b201ac"},
    {"p2pk_off_curve_u", "pubkey", 0,
     "410448d1183c384aee3d99e17bf96b004258bf1cab1aed413c6f73e555c8705bee0caf501d3bb3ec4eea9d7461791291e8cd056a"
     "f88678165b397f270567b6d4a299ac"},
    {"p2pk_prefix00_65", "nonstandard", 0,
     "410098acb0b6a574f6ab81252a04c01402f091ad98e249be91c87a00622868abeee749725dfb48261450a349159e423bf84f952c"
     "2e5187554f72ebb34449d83fc9c5ac"},
    {"p2pk_prefix02_65", "nonstandard", 0,
     "4102e1cfd07093303475880caacaf45f919ef78d0be422eb86405846f8a621a7c99693aa0f8da29fc14a0c3c317f1cfe880a4b45"
     "07d1fc93a64439007902e9cb2031ac"},
    {"p2pk_prefix04_33", "nonstandard", 0, "21040310ef848fba0b0bb5d62c293abb0a763e5f534e39cb9feba72b7a764dcf7712ac"},
    {"p2pk_prefix05_33", "nonstandard", 0, "2105396324360ddc3e76c51bad0e3182d3af0ac146dc520602a8ec90414a1cd97ea4ac"},
    {"p2pk_prefix06_33", "nonstandard", 0, "21069283bafc4e7ff807d0cfb32397bcfff2d5ef3bda14c5c78dba0ec9b833f95bd1ac"},
    {"p2pk_push32", "nonstandard", 0, "2065faf2018dc216d17a0dfba6aca12919f10c5e6e1c0d75c36215c27bcea10a7fac"},
    {"p2pk_push64", "nonstandard", 0,
     "402dba0a8c6efd7380ac7fbc53036f2fd7417a60e626bd32b55b83476b637a69126f8512c364f72564c7515a4b6385fa8eb09d6a"
     "86ec0eed67b2905829765f4f5eac"},
    {"p2pk_pushdata1", "nonstandard", 0, "4c2102eb9150c015f24757805531c8dbfc85641937b4fabb658d26d34f205c77ec0329ac"},
    {"p2pk_trailing_nop", "nonstandard", 0, "2103b40efc85ef48c7b81f5a922214c71fd055cec6af11cd0c3c18a199071d780bb1ac61"},
    {"p2pk_u", "pubkey", 0,
     "4104adc00d21485ccfa0dc692c6ae597e5b3cbd4ad92e19483d757f63cbb8813406300ddbe2c80f75528131278044c755e87f704"
     "efa6f037ec835cd4e825cdb6a52eac"},
    {"p2pk_x_above_p", "pubkey", 0, "2102ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffac"},
    {"p2pkh", "pubkeyhash", 1, "76a914f66a016faa9dd8525580a7b7b438d86b2ba2e09588ac"},
    {"p2pkh_equal_verify_split", "nonstandard", 0, "76a914048a39579c9d77fb85a0115569d0b78ba6fa34d08769ac"},
    {"p2pkh_hash19", "nonstandard", 0, "76a91344b5484793a9364a1ec35e969b085e556486b988ac"},
    {"p2pkh_hash21", "nonstandard", 0, "76a915985a8acde8e3bfc5637aa1b1f6d0ec444590dda4fc88ac"},
    {"p2pkh_leading_nop", "nonstandard", 0, "6176a9144a0e6f4aa0ed83fe21c427aeb2ef4bc748fa3b2a88ac"},
    {"p2pkh_pushdata1", "nonstandard", 0, "76a94c14055898978c4916da358b2a6e6f65dc5fda4aaf8488ac"},
    {"p2pkh_pushdata2", "nonstandard", 0, "76a94d1400e3cd4d0c90c2f51089f134c9101316751da9e83188ac"},
    {"p2pkh_pushdata4", "nonstandard", 0, "76a94e14000000b44e49a988e90d97a130d0ca2ec81bf78d2f02f288ac"},
    {"p2pkh_then_truncated_push", "nonstandard", 0, "76a914f66a016faa9dd8525580a7b7b438d86b2ba2e09588ac0500"},
    {"p2pkh_trailing_drop_true", "nonstandard", 0, "76a914e0a575836645659a8464b1773ba8f5546d403eca88ac7551"},
    {"p2pkh_trailing_nop", "nonstandard", 0, "76a914f4c4a0ed3731e06a747934689c0abc9e2a5b1e1088ac61"},
    {"p2pkh_truncated", "nonstandard", 0, "76a914370be7ebf9dedb71d402f1842bb618c76620fd1288"},
    {"p2pkh_uncompressed_key", "pubkeyhash", 1, "76a9140392581750caeb0a05d1f8f20e863dfb8ea12a7888ac"},
    {"p2pkh_zero_push", "nonstandard", 0, "76a90088ac"},
    {"p2sh_hash19", "nonstandard", 0, "a913d1d9d2bda3caf8bd5c1cff6a0c880b487eee0687"},
    {"p2sh_hash21", "nonstandard", 0, "a915baa12404031ad4092fc02b2c10a06a4a02608c53bd87"},
    {"p2sh_hash32", "nonstandard", 0, "a920f67b888128a966a1ce6551aa64e0b7aae885af458d076711a560001a0e8b06ce87"},
    {"p2sh_ms_2of3", "scripthash", 1, "a914e5e681c412d4c8581b7641e859f998743309fc5087"},
    {"p2sh_p2pk", "scripthash", 1, "a914d849e95950839694a132d86509b7d9a429ab6ddb87"},
    {"p2sh_p2wpkh", "scripthash", 1, "a9144262ce2a60fb5b925f483337fb7917764074cb1487"},
    {"p2sh_p2wsh", "scripthash", 1, "a9145f7de659a6400625b281adec4ce3857f57aea01587"},
    {"p2sh_trailing_nop", "nonstandard", 0, "a91438f083a5e25d3405d7b1d11a926a0c832cc6dec58761"},
    {"p2sh_true", "scripthash", 1, "a91490b3b416f30fbb6c69b675f88e6ba7d20690f70587"},
    {"p2tr_inscription", "witness_v1_taproot", 1,
     "5120f29f1175299812f51473e11895b8449f85b2d8bfe51e984e35daa006912ab350"},
    {"p2tr_key", "witness_v1_taproot", 1, "5120cb33be2cc0242940bbc3f5c27f1ea4228270a469cc4b80917a21c87dfcb717e3"},
    {"p2tr_off_curve", "witness_v1_taproot", 1, "5120d1b8bd4c3b4303784a2bb59dba59444b9d486aa0948f18094020085afca96a25"},
    {"p2tr_script", "witness_v1_taproot", 1, "5120f666b59fd0c2871fab55a17f1530bdaa2bd8f492896daf3d2a9c330863cb0646"},
    {"p2tr_script_annex", "witness_v1_taproot", 1,
     "51202389800d20780a69c74213c7c383f9007c7c576689bdd6a402ba1d04584730b1"},
    {"p2tr_zero_key", "witness_v1_taproot", 1, "51200000000000000000000000000000000000000000000000000000000000000000"},
    {"p2wpkh", "witness_v0_keyhash", 1, "001467ed8e6f61ee24c60f316535f925c234d31997fd"},
    {"p2wsh_300_items", "witness_v0_scripthash", 1,
     "00208ad75b90e48c0c1bdc6135a3858a28ea60827cc86ae8d8c36688e045baeed340"},
    {"p2wsh_ms_1of2", "witness_v0_scripthash", 1,
     "00200785b038e3081c216f4e3c8396bca7faadb938a599b44f9872700b97884b1690"},
    {"p2wsh_true", "witness_v0_scripthash", 1, "002051007aa9f90e638f15b988b69613c04a076e9b6f6e44935e01a71cbebbf1535a"},
    {"puzzle_hash160_equalverify", "nonstandard", 0, "a91401c4ef25a87e23225b428f66064380bdd89ececc8851"},
    {"puzzle_hash160_pushdata1", "nonstandard", 0, "a94c145945e05baedf2356bb96d61eb55a737a5ff6ce7187"},
    {"puzzle_hash160_size", "nonstandard", 0, "82012088a91419a5e4b14c5d91e2f8f5f24629f1038a4e2e55bb87"},
    {"puzzle_hash256", "nonstandard", 0, "aa202db1540b4c4cbc788454ea20fed4d46be6a9f15f4c74f6f0a2f65b9ae159dcca87"},
    {"puzzle_ripemd160", "nonstandard", 0, "a6140acc785680284a3a1b55316967a314351ed347f887"},
    {"puzzle_sha1", "nonstandard", 0, "a714eca93a743cb618ac6a96229091bfbe67969a5ae487"},
    {"puzzle_sha256", "nonstandard", 0, "a820e486e1928af58878be676c92c69f6bf15e435a50b80ab305a764e0013c191a1a87"},
    {"puzzle_two_hash256_dup", "nonstandard", 0,
     "76aa20dcbd09483107ece8d0a8b9ad3ae5817ed01e99d579cbe5edb2f5fab3e48b016888a820cd48b3fcec43d7a5d96493cbd31b"
     "d78b911273886d617a8264a29989a2d8c30887"},
    {"random_junk", "nonstandard", 0, "ff09ccd62b17d1ede311225cc42d13"},
    {"truncated_pd1", "nonstandard", 0, "4c"},
    {"truncated_pd1_data", "nonstandard", 0, "514c5095e8a20519b0b62e3075"},
    {"truncated_pd2", "nonstandard", 0, "4d05"},
    {"truncated_pd2_data", "nonstandard", 0, "4d05006162"},
    {"truncated_pd4", "nonstandard", 0, "4e010000"},
    {"truncated_pd4_huge", "nonstandard", 0, "4effffffffa0a73d2c7e"},
    {"truncated_push", "nonstandard", 0, "1442e1526d56309f"},
    {"truncated_push_only_op", "nonstandard", 0, "4b"},
    {"unbalanced_if", "nonstandard", 0, "516351"},
    {"wit_1negate", "nonstandard", 0, "4f1401c415239d37a580196d4419c8b9dba8b37d8aa1"},
    {"wit_v0_16", "nonstandard", 0, "00109d699c6dea317e74131bb3f9bcf8aaa8"},
    {"wit_v0_21", "nonstandard", 0, "001526cfbda07c77c0852545ac1f21ce1268370929eba1"},
    {"wit_v0_33", "nonstandard", 0, "00215e7aad8a85bda7f6be440154c9c6f507b2aa1a558d27adfa80c92de0e48f5d1c3a"},
    {"wit_v0_40", "nonstandard", 0,
     "0028fc9a1301f88ba858b2a1a9d27ba56b1153a3a949499dba1bf956b989a6e85405f8c1dc436018dcd7"},
    {"wit_v0_pushdata1", "nonstandard", 0, "004c140131e5d942b74e6ebb5f1b4a3a7e7e529f369b5f"},
    {"wit_v10", "witness_unknown", 1, "5a0201ea"},
    {"wit_v11", "witness_unknown", 1, "5b020156"},
    {"wit_v12", "witness_unknown", 1, "5c02012c"},
    {"wit_v13", "witness_unknown", 1, "5d02016b"},
    {"wit_v14", "witness_unknown", 1, "5e020159"},
    {"wit_v15", "witness_unknown", 1, "5f02011e"},
    {"wit_v16", "witness_unknown", 1, "60020165"},
    {"wit_v16_zero", "witness_unknown", 1, "60020000"},
    {"wit_v1_1byte", "nonstandard", 0, "510107"},
    {"wit_v1_2", "witness_unknown", 1, "5102015a"},
    {"wit_v1_20", "witness_unknown", 1, "511401febc4f9a69fb9e3c759d33a41a3affacc5381d"},
    {"wit_v1_3", "witness_unknown", 1, "5103012d42"},
    {"wit_v1_31", "witness_unknown", 1, "511f011c9666468fe11a5f5111e36c1e5689ce86ff714c55538f3e92b36f675662"},
    {"wit_v1_33", "witness_unknown", 1, "512101fea55bc46b7bcf5f0f7e0b180caf436a2f414e0803eff14039a4a5481d3d312b"},
    {"wit_v1_40", "witness_unknown", 1,
     "512801870663b3de88e3fd9a290258eab9e9784e47d811c64ee5980fe36e977943632c7cce8376326e42"},
    {"wit_v1_41", "nonstandard", 0,
     "512901bee8fc4b2322bdc6aa7ce007849ddc31f7fcef000de27bc67dcb3e4f54d25da22d3fca03f9610888"},
    {"wit_v1_pushdata1", "nonstandard", 0, "514c2001ef9fa7e9ae2c2d2854a9d3b6397b0217d3c83ce332d5b9a8ac7b8f5be8f3cd"},
    {"wit_v1_short_by_one", "nonstandard", 0, "511f01262687e3bb7fd1351e20aff079be25b15f3f6c813085a85ed9280befb2c751"},
    {"wit_v1_trailing", "nonstandard", 0, "5120011a14ea3697a582d75e94125175178dcaf6e40fd1e10529828e120d060e846861"},
    {"wit_v2", "witness_unknown", 1, "5202019f"},
    {"wit_v3", "witness_unknown", 1, "5302017e"},
    {"wit_v4", "witness_unknown", 1, "54020114"},
    {"wit_v5", "witness_unknown", 1, "550201dd"},
    {"wit_v6", "witness_unknown", 1, "56020104"},
    {"wit_v7", "witness_unknown", 1, "5702013d"},
    {"wit_v8", "witness_unknown", 1, "5802018e"},
    {"wit_v9", "witness_unknown", 1, "590201b9"},
    {"witness_commitment", "nulldata", 0,
     "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"},
    {"witness_commitment_fake", "nulldata", 0,
     "6a24aa21a9ed2f43afbce73517d1c425517e301116e6da884162f183f024ef9bacb674b27c4e"},
};
