// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RegistryTest} from "./support/RegistryTest.sol";

/// @dev State proofs read storage by slot: each key is derived here as the reference says, and read raw.
contract StorageTest is RegistryTest {
    bytes32 private _anchorId = keccak256(abi.encode(ISSUER, ROOT));

    function test_Slot0IsTheIssuerCount() public view {
        assertEq(_at(bytes32(0)), bytes32(uint256(2)), "count");
    }

    function test_Slot1HoldsIssuers() public {
        vm.prank(OWNER);
        registry.transferOwnership(ISSUER, RELAYER);
        bytes32 base = _key(bytes32(ISSUER), 1);
        assertEq(_at(base), registry.headOf(ISSUER), "head");
        assertEq(_at(_plus(base, 1)), keccak256(bytes(DID)), "DID hash");
        assertEq(_at(_plus(base, 2)), _word(OWNER), "owner");
        assertEq(_at(_plus(base, 3)), _word(RELAYER), "pending owner");
    }

    function test_Slot2HoldsOperators() public {
        bytes32 key = _key(_word(operator), uint256(_key(bytes32(ISSUER), 2)));
        assertEq(_at(key), bytes32(uint256(BOTH)), "roles");
        _compromise(operator, START - 1);
        assertEq(_at(key), bytes32(uint256(START - 1) << 8), "compromised since");
    }

    function test_Slot3HoldsAnchors() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.revokeBatch(ISSUER, ROOT, 0);
        uint256 packed =
            uint256(uint160(operator)) | uint256(START) << 160 | uint256(SIZE) << 200 | uint256(1) << 248;
        assertEq(_at(_key(_anchorId, 3)), bytes32(packed), "anchor");
    }

    function test_Slot4HoldsRevocations() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.revoke(ISSUER, ROOT, 1, 6, 0);
        assertEq(_at(_key(bytes32(uint256(1)), uint256(_key(_anchorId, 4)))), bytes32(uint256(6)), "word");
        assertEq(_at(_key(bytes32(uint256(1)), uint256(_key(_anchorId, 5)))), 0, "suspensions");
    }

    function test_Slot5HoldsSuspensions() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.suspend(ISSUER, ROOT, 2, 9, 0);
        assertEq(_at(_key(bytes32(uint256(2)), uint256(_key(_anchorId, 5)))), bytes32(uint256(9)), "word");
        assertEq(_at(_key(bytes32(uint256(2)), uint256(_key(_anchorId, 4)))), 0, "revocations");
    }

    function test_Slots6And7HoldAccreditations() public {
        vm.prank(OWNER);
        registry.accredit(ISSUER, OTHER, START + 1);
        vm.warp(START + 2);
        vm.prank(OWNER);
        registry.accredit(ISSUER, OTHER, START + 9);
        bytes32 count = _key(bytes32(OTHER), uint256(_key(bytes32(ISSUER), 6)));
        assertEq(_at(count), bytes32(uint256(2)), "number of spans");
        uint256 spans = uint256(_key(bytes32(OTHER), uint256(_key(bytes32(ISSUER), 7))));
        uint256 first = uint256(START) | uint256(START + 1) << 40;
        uint256 second = uint256(START + 2) | uint256(START + 9) << 40;
        assertEq(_at(_key(bytes32(0), spans)), bytes32(first), "first span");
        assertEq(_at(_key(bytes32(uint256(1)), spans)), bytes32(second), "second span");
    }

    function test_Slot8HoldsTheIssuersOfBareRoots() public {
        vm.prank(operator);
        registry.nameBareIssuer(ISSUER);
        assertEq(_at(_key(_word(operator), 8)), bytes32(ISSUER), "issuer");
    }

    /// @dev keccak256(key || slot): where a mapping at `slot` keeps `key`.
    function _key(bytes32 key, uint256 slot) private pure returns (bytes32) {
        return keccak256(abi.encode(key, slot));
    }

    function _plus(bytes32 slot, uint256 n) private pure returns (bytes32) {
        return bytes32(uint256(slot) + n);
    }

    function _at(bytes32 slot) private view returns (bytes32) {
        return vm.load(address(registry), slot);
    }
}
