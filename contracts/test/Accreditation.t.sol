// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../src/ICredentialRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

abstract contract AccreditationTest is RegistryTest {
    string internal constant ACCREDITED = "Accredited(uint256,uint256,uint256,uint40,uint40,bytes32)";
    string internal constant WITHDRAWN = "AccreditationWithdrawn(uint256,uint256,uint256,uint40,bytes32)";

    /// @dev ISSUER recognises OTHER.
    function _accredit(uint40 until) internal {
        vm.prank(OWNER);
        registry.accredit(ISSUER, OTHER, until);
    }

    function _withdraw() internal {
        vm.prank(OWNER);
        registry.withdrawAccreditation(ISSUER, OTHER);
    }

    function _expectSpan(uint256 n, uint256 from, uint256 until) internal view {
        (uint40 gotFrom, uint40 gotUntil) = registry.accreditationSpan(ISSUER, OTHER, n);
        assertEq(gotFrom, from, "span: from");
        assertEq(gotUntil, until, "span: until");
    }

    function _expectAt(uint40 time, uint256 from, uint256 until) internal view {
        (uint40 gotFrom, uint40 gotUntil) = registry.accreditationOf(ISSUER, OTHER, time);
        assertEq(gotFrom, from, "held: from");
        assertEq(gotUntil, until, "held: until");
    }

    function _expectCount(uint256 count) internal view {
        assertEq(registry.accreditationCount(ISSUER, OTHER), count, "number of spans");
    }
}

contract AccreditTest is AccreditationTest {
    function test_RevertGiven_TheAccreditorIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(OWNER);
        registry.accredit(UNKNOWN, OTHER, 0);
    }

    function test_RevertWhen_TheCallerOwnsTheOtherIssuer() public {
        _refuseNotOwner(ISSUER, OTHER_OWNER);
        vm.prank(OTHER_OWNER);
        registry.accredit(ISSUER, OTHER, 0);
    }

    function test_RevertWhen_TheCallerIsAnOperator() public {
        _refuseNotOwner(ISSUER, operator);
        vm.prank(operator);
        registry.accredit(ISSUER, OTHER, 0);
    }

    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(OWNER);
        registry.accredit(ISSUER, UNKNOWN, 0);
    }

    function test_RevertWhen_UntilIsNow() public {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.InvalidUntil.selector, START));
        _accredit(START);
    }

    function test_RevertWhen_UntilIsPast() public {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.InvalidUntil.selector, 1));
        _accredit(1);
    }

    function test_RevertGiven_AnOpenSpanRuns() public {
        _accredit(0);
        vm.warp(START + 1000);
        _refuseAlreadyAccredited();
        _accredit(0);
    }

    function test_RevertGiven_ASpanRunsForAnotherSecond() public {
        _accredit(START + 100);
        vm.warp(START + 99);
        _refuseAlreadyAccredited();
        _accredit(0);
    }

    function test_WhenUntilIsZero() public {
        _watch(ISSUER);
        _accredit(0);
        _expectLog3(ISSUER, ACCREDITED, bytes32(OTHER), abi.encode(0, 0));
        _expectCount(1);
        _expectSpan(0, START, 0);
    }

    function test_WhenUntilIsTheNextSecond() public {
        _watch(ISSUER);
        _accredit(START + 1);
        _expectLog3(ISSUER, ACCREDITED, bytes32(OTHER), abi.encode(0, START + 1));
        _expectSpan(0, START, START + 1);
    }

    function test_GivenASpanHasJustEnded() public {
        _accredit(START + 100);
        vm.warp(START + 100);
        _watch(ISSUER);
        _accredit(START + 200);
        _expectLog3(ISSUER, ACCREDITED, bytes32(OTHER), abi.encode(1, START + 200));
        _expectCount(2);
        _expectSpan(0, START, START + 100);
        _expectSpan(1, START + 100, START + 200);
    }

    function test_GivenTheSpanWasWithdrawn() public {
        _accredit(0);
        _withdraw();
        _watch(ISSUER);
        _accredit(0);
        _expectLog3(ISSUER, ACCREDITED, bytes32(OTHER), abi.encode(1, 0));
        _expectCount(2);
    }

    function test_GivenTheIssuerHasAnchors() public {
        vm.prank(OTHER_OPERATOR);
        registry.anchor(OTHER, ROOT, SIZE);
        bytes32 head = registry.headOf(OTHER);
        _accredit(0);
        _expectAnchor(OTHER, ROOT, OTHER_OPERATOR, START, SIZE, 0);
        assertEq(registry.headOf(OTHER), head, "head of the recognised issuer");
    }

    function test_WhenAnIssuerRecognisesItself() public {
        vm.prank(OWNER);
        registry.accredit(ISSUER, ISSUER, 0);
        assertEq(registry.accreditationCount(ISSUER, ISSUER), 1, "spans");
        assertEq(registry.accreditationCount(OTHER, ISSUER), 0, "spans of the other");
    }

    function _refuseAlreadyAccredited() private {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.AlreadyAccredited.selector, ISSUER, OTHER));
    }
}

contract WithdrawAccreditationTest is AccreditationTest {
    function test_RevertGiven_TheAccreditorIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(OWNER);
        registry.withdrawAccreditation(UNKNOWN, OTHER);
    }

    function test_RevertWhen_TheCallerOwnsTheOtherIssuer() public {
        _accredit(0);
        _refuseNotOwner(ISSUER, OTHER_OWNER);
        vm.prank(OTHER_OWNER);
        registry.withdrawAccreditation(ISSUER, OTHER);
    }

    function test_RevertGiven_ThereWasNeverASpan() public {
        _refuseNotAccredited(OTHER);
        _withdraw();
    }

    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseNotAccredited(UNKNOWN);
        vm.prank(OWNER);
        registry.withdrawAccreditation(ISSUER, UNKNOWN);
    }

    function test_RevertGiven_TheSpanHasEnded() public {
        _accredit(START + 100);
        vm.warp(START + 100);
        _refuseNotAccredited(OTHER);
        _withdraw();
    }

    function test_RevertGiven_TheSpanWasWithdrawn() public {
        _accredit(0);
        vm.warp(START + 10);
        _withdraw();
        _refuseNotAccredited(OTHER);
        _withdraw();
    }

    function test_GivenAnOpenSpanRuns() public {
        _accredit(0);
        vm.warp(START + 10);
        _watch(ISSUER);
        _withdraw();
        _expectLog3(ISSUER, WITHDRAWN, bytes32(OTHER), abi.encode(0));
        _expectCount(1);
        _expectSpan(0, START, START + 10);
    }

    function test_GivenASpanRunsForAnotherSecond() public {
        _accredit(START + 100);
        vm.warp(START + 99);
        _watch(ISSUER);
        _withdraw();
        _expectLog3(ISSUER, WITHDRAWN, bytes32(OTHER), abi.encode(0));
        _expectSpan(0, START, START + 99);
    }

    function test_GivenTheSecondSpanRuns() public {
        _accredit(START + 100);
        vm.warp(START + 150);
        _accredit(0);
        vm.warp(START + 160);
        _watch(ISSUER);
        _withdraw();
        _expectLog3(ISSUER, WITHDRAWN, bytes32(OTHER), abi.encode(1));
        _expectSpan(0, START, START + 100);
        _expectSpan(1, START + 150, START + 160);
    }

    function test_GivenTheSpanBeganInThisBlock() public {
        _accredit(0);
        _withdraw();
        _expectSpan(0, START, START);
        _expectAt(START, 0, 0);
    }

    function test_GivenTheIssuerHasAnchors() public {
        vm.prank(OTHER_OPERATOR);
        registry.anchor(OTHER, ROOT, SIZE);
        _accredit(0);
        bytes32 head = registry.headOf(OTHER);
        _withdraw();
        _expectAnchor(OTHER, ROOT, OTHER_OPERATOR, START, SIZE, 0);
        assertEq(registry.headOf(OTHER), head, "head of the recognised issuer");
    }

    function _refuseNotAccredited(uint256 issuer) private {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.NotAccredited.selector, ISSUER, issuer));
    }
}

contract AccreditationOfTest is AccreditationTest {
    function test_GivenThereWasNeverASpan() public view {
        _expectAt(START, 0, 0);
        _expectAt(0, 0, 0);
    }

    function test_GivenAnOpenSpan() public {
        _accredit(0);
        _expectAt(START - 1, 0, 0);
        _expectAt(START, START, 0);
        _expectAt(type(uint40).max, START, 0);
    }

    function test_GivenASpanWithAnEnd() public {
        _accredit(START + 100);
        _expectAt(START - 1, 0, 0);
        _expectAt(START, START, START + 100);
        _expectAt(START + 99, START, START + 100);
        _expectAt(START + 100, 0, 0);
    }

    function test_GivenTwoSpansWithAGap() public {
        _accredit(START + 100);
        vm.warp(START + 150);
        _accredit(0);
        _expectAt(START + 99, START, START + 100);
        _expectAt(START + 100, 0, 0);
        _expectAt(START + 149, 0, 0);
        _expectAt(START + 150, START + 150, 0);
    }

    function test_GivenAnEmptySpanAndAnotherInTheSameBlock() public {
        _accredit(0);
        _withdraw();
        _accredit(START + 5);
        _expectAt(START, START, START + 5);
        _expectAt(START + 4, START, START + 5);
        _expectAt(START + 5, 0, 0);
    }

    function test_WhenTheTwoChangePlaces() public {
        _accredit(0);
        (uint40 from, uint40 until) = registry.accreditationOf(OTHER, ISSUER, START);
        assertEq(from, 0, "from");
        assertEq(until, 0, "until");
    }
}

contract AccreditationCountTest is AccreditationTest {
    function test_GivenThereWasNeverASpan() public view {
        _expectCount(0);
    }

    function test_GivenASpanWasWithdrawn() public {
        _accredit(0);
        _withdraw();
        _expectCount(1);
    }
}

contract AccreditationSpanTest is AccreditationTest {
    function test_WhenThereIsNoSuchSpan() public {
        _accredit(0);
        _expectSpan(1, 0, 0);
        _expectSpan(type(uint256).max, 0, 0);
    }

    function test_WhenThereIsSuchASpan() public {
        _accredit(START + 7);
        _expectSpan(0, START, START + 7);
    }
}

contract AccreditationFuzzTest is AccreditationTest {
    /// @dev Spans given, ended and withdrawn at random, against a list of seconds.
    function testFuzz_HoldsFromUntil(uint256 seed) public {
        uint40 length = 64;
        bool[] memory held = new bool[](length);
        uint40 end = 0;
        for (uint40 i = 0; i < length; ++i) {
            vm.warp(START + i);
            uint256 dice = uint256(keccak256(abi.encode(seed, i))) % 8;
            bool running = i < end;
            if (!running && dice < 2) {
                // forge-lint: disable-next-line(unsafe-typecast) below 8
                uint40 until = dice == 0 ? 0 : START + i + 1 + uint40(seed % 7);
                _accredit(until);
                end = until == 0 ? type(uint40).max : until - START;
            } else if (running && dice == 2) {
                _withdraw();
                end = i;
            }
            held[i] = i < end;
        }
        for (uint40 i = 0; i < length; ++i) {
            (uint40 from,) = registry.accreditationOf(ISSUER, OTHER, START + i);
            assertTrue((from != 0) == held[i], vm.toString(i));
        }
    }
}
