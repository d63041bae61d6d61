// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerklePathCaller} from "./MerklePath.t.sol";
import {MerklePath} from "../src/MerklePath.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Rfc9162} from "./support/Rfc9162.sol";
import {Vm} from "./support/Vm.sol";

/// @notice What a transaction costs, and that it stays within its budget. The only tests in the gas snapshot.
/// @dev Each test makes one call on cold storage. Its transaction costs 21,000, its calldata (EIP-2028) and what
/// the call used. Coverage runs compile without the optimizer, so they only run the calls.
contract GasTest is RegistryTest {
    bytes32 private constant NEXT = keccak256("next");
    bytes32 private constant BARE_ROOT = keccak256("bare root");
    bytes32 private constant TRUSTED = keccak256("trusted");
    uint48 private constant MILLION = 1_048_576;
    uint256 private constant INDEX = 711_349;
    uint256 private constant SIGNER_KEY = 0x516e;

    MerklePathCaller private _library;
    bytes32 private _tree;
    bytes32 private _digest;
    bytes32[] private _path;
    bytes private _signature;

    function setUp() public override {
        super.setUp();
        _library = new MerklePathCaller();
        _setOperator(vm.addr(SIGNER_KEY), BOTH);
        vm.prank(ANCHORER);
        registry.nameBareIssuer(ISSUER);
        _digest = keccak256("digest");
        _path = Rfc9162.digests(20, "siblings");
        (, _tree) = Rfc9162.climb(Rfc9162.leafOf(_digest), INDEX, MILLION, _path);
        _anchor(ROOT, MILLION);
        vm.prank(KEEPER);
        registry.revoke(ISSUER, ROOT, 5, 1, 4);
        vm.warp(START + 60);
        _compromise(operator, START);
        vm.prank(ANCHORER);
        registry.anchor(ISSUER, TRUSTED, MILLION);
        vm.prank(ANCHORER);
        registry.anchor(ISSUER, _tree, MILLION);
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(SIGNER_KEY, registry.anchorDigest(ISSUER, NEXT, MILLION, START + 3600));
        _signature = abi.encodePacked(r, s, v);
    }

    function test_Anchor() public {
        _measure(ANCHORER, abi.encodeCall(registry.anchor, (ISSUER, NEXT, MILLION)), 57_000);
    }

    function test_AnchorBare() public {
        _measure(ANCHORER, abi.encode(BARE_ROOT), 58_500);
    }

    function test_AnchorBySig() public {
        bytes memory data =
            abi.encodeCall(registry.anchorBySig, (ISSUER, NEXT, MILLION, START + 3600, _signature));
        _measure(RELAYER, data, 63_000);
    }

    function test_AnchorAgain() public {
        _measure(ANCHORER, abi.encodeCall(registry.anchor, (ISSUER, ROOT, MILLION)), 43_000);
    }

    function test_RevokeFirstBitOfAWord() public {
        _measure(KEEPER, abi.encodeCall(registry.revoke, (ISSUER, TRUSTED, 1000, 1 << 200, 4)), 60_000);
    }

    function test_RevokeFurtherBitOfAWord() public {
        _measure(KEEPER, abi.encodeCall(registry.revoke, (ISSUER, ROOT, 5, 1 << 200, 4)), 43_000);
    }

    function test_Revoke256InOneWord() public {
        bytes memory data = abi.encodeCall(registry.revoke, (ISSUER, TRUSTED, 1000, type(uint256).max, 4));
        _measure(KEEPER, data, 60_500);
    }

    function test_RevokeManyTenWords() public {
        uint256[] memory words = new uint256[](10);
        uint256[] memory masks = new uint256[](10);
        for (uint256 i = 0; i < 10; ++i) {
            words[i] = 2000 + i;
            masks[i] = type(uint256).max;
        }
        bytes memory data = abi.encodeCall(registry.revokeMany, (ISSUER, TRUSTED, words, masks, 4));
        _measure(KEEPER, data, 10 * 34_000);
    }

    function test_VerifyWithStatus() public {
        bytes memory data = abi.encodeCall(registry.verify, (ISSUER, _tree, _digest, INDEX, _path));
        _call(address(registry), OUTSIDER, data);
        _within(vm.lastCallGas().gasTotalUsed, 20_000);
    }

    function test_PathCheck() public {
        bytes memory data = abi.encodeCall(_library.check, (_tree, MILLION, _digest, INDEX, _path));
        bytes memory answer = _call(address(_library), OUTSIDER, data);
        assertEq(abi.decode(answer, (uint256)), uint256(MerklePath.Result.Included), "result");
        _within(vm.lastCallGas().gasTotalUsed, 12_000);
    }

    function _measure(address from, bytes memory data, uint256 budget) private {
        _call(address(registry), from, data);
        uint256 spent = 21_000 + vm.lastCallGas().gasTotalUsed;
        for (uint256 i = 0; i < data.length; ++i) {
            spent += data[i] == 0 ? 4 : 16;
        }
        _within(spent, budget);
    }

    function _call(address to, address from, bytes memory data) private returns (bytes memory) {
        vm.prank(from);
        (bool done, bytes memory answer) = to.call(data);
        assertTrue(done, "refused");
        return answer;
    }

    function _within(uint256 spent, uint256 budget) private view {
        if (vm.isContext(Vm.ForgeContext.Coverage)) return;
        vm.assertLe(spent, budget, "gas");
    }
}
